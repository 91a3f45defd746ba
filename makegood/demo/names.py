"""Who and what the demo is about: names by culture (invented), products in three languages with their prices."""

from __future__ import annotations

from random import Random

from makegood.base.languages import EN, KO, ZH

FAMILY = {
    KO: ["김", "이", "박", "최", "정", "강", "조", "윤", "장", "임", "한", "오", "서", "신", "권"],
    ZH: ["李", "王", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "胡"],
    EN: [
        "Abbott",
        "Barlow",
        "Calder",
        "Denby",
        "Ellery",
        "Fenwick",
        "Garrow",
        "Hollis",
        "Ingram",
        "Jarvis",
        "Kendrick",
        "Larkin",
        "Morrow",
        "Nash",
        "Okafor",
    ],
}
GIVEN = {
    KO: [
        "서연",
        "지호",
        "하은",
        "도윤",
        "수아",
        "예준",
        "민재",
        "채원",
        "시우",
        "유진",
        "가람",
        "다온",
        "라희",
        "보미",
        "새롬",
        "은결",
    ],
    ZH: [
        "思远",
        "雨桐",
        "子涵",
        "佳宁",
        "晓雯",
        "一鸣",
        "梓萱",
        "文博",
        "静怡",
        "浩然",
        "若溪",
        "明轩",
        "欣妍",
        "志远",
        "小禾",
        "清和",
    ],
    EN: [
        "Maya",
        "Owen",
        "Tessa",
        "Colin",
        "Priya",
        "Jonas",
        "Clara",
        "Felix",
        "Nadia",
        "Ruben",
        "Elsie",
        "Marcus",
        "Ingrid",
        "Dario",
        "Hattie",
        "Leo",
    ],
}

#: code: ((ko, zh, en), price in KRW, CNY, USD)
PRODUCTS: dict[str, tuple[tuple[str, str, str], tuple[int, int, int]]] = {
    "earbuds": (("무선 이어폰", "无线耳机", "wireless earbuds"), (129000, 599, 99)),
    "powerbank": (("보조 배터리", "充电宝", "power bank"), (39900, 169, 34)),
    "airfryer": (("에어프라이어", "空气炸锅", "air fryer"), (159000, 459, 119)),
    "ricecooker": (("전기밥솥", "电饭煲", "rice cooker"), (289000, 899, 189)),
    "coat": (("울 코트", "羊毛大衣", "wool coat"), (349000, 1580, 260)),
    "sneakers": (("운동화", "运动鞋", "running shoes"), (119000, 529, 95)),
    "tea": (("녹차 선물 세트", "龙井茶礼盒", "green tea gift box"), (68000, 328, 52)),
    "backpack": (("여행용 배낭", "旅行背包", "travel backpack"), (89000, 399, 79)),
    "humidifier": (("가습기", "加湿器", "humidifier"), (74900, 269, 59)),
    "lamp": (("스탠드 조명", "护眼台灯", "desk lamp"), (59000, 219, 48)),
    "cups": (("도자기 컵 세트", "陶瓷杯套装", "ceramic cup set"), (45000, 188, 42)),
    "suitcase": (("캐리어", "行李箱", "suitcase"), (178000, 699, 149)),
    "stroller": (("유모차", "婴儿推车", "stroller"), (420000, 1899, 329)),
    "chair": (("사무용 의자", "办公椅", "office chair"), (239000, 1080, 210)),
}
LANGUAGE_AT = {KO: 0, ZH: 1, EN: 2}
CURRENCY_AT = {"KRW": 0, "CNY": 1, "USD": 2}


def person(language: str, rng: Random) -> str:
    """A full name as it is written in that culture."""
    family, given = rng.choice(FAMILY[language]), rng.choice(GIVEN[language])
    return f"{given} {family}" if language == EN else family + given


def product(code: str, language: str) -> str:
    return PRODUCTS[code][0][LANGUAGE_AT[language]]


def price(code: str, currency: str, rng: Random) -> int:
    """A price near the list price, in whole units of the currency, so that no two orders cost quite the same."""
    listed = PRODUCTS[code][1][CURRENCY_AT[currency]]
    step = 1000 if currency == "KRW" else 1
    return max(step, round(listed * rng.uniform(0.85, 1.2) / step) * step)


def money(amount: int, currency: str) -> str:
    """The amount as people of that currency write it in a message."""
    return {"KRW": f"{amount:,}원", "CNY": f"{amount}元", "USD": f"${amount:,}"}[currency]
