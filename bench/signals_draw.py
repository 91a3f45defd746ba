"""Which real messages were labelled for signals: ``python -m bench.signals_draw ../shared/data/text``.

Seeded, so that anybody with the data draws the same ones. Two strata: 'random' as they come, and 'enriched' by words that are
wider than the patterns of the packs (any text with 电话, any with 'time'), family after family, so that misses are seen too.
Prints them for reading, a number and the text; the labels that a reader gave stand in ``tests/data/signals`` without texts.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from random import Random

import pyarrow.parquet as parquet

from makegood.base.languages import EN, KO, ZH

#: The draws: seed, how many at random, how many enriched. Each later one was labelled when the packs had stood still since the
#: last change, so that there are messages whose reader could not have had them in mind: his own memory is a leak, too.
DRAWS = {"first": (20261122, 200, 135), "second": (20261123, 75, 45), "third": (20261124, 75, 45)}
SHORTEST, LONGEST = 6, 260
SHOPS = frozenset({"coupang", "daangn", "ohouse", "yanolja", "yogiyo", "hwahae", "zigzag", "myrealtrip"})

#: Words of the enriched stratum, one line a family: wide on purpose, most of what they find is no signal.
WIDE = {
    KO: """화|짜증|어이|최악|쓰레기|장난
        걱정|불안|무서|무섭|의심|답답
        실망|후회|아쉬|속상
        탈퇴|삭제|안 ?쓰|안 ?써|안 ?쓸|지웁|지운|갈아|다른 ?앱|해지
        소비자|신고|민원|고발|고소|법|경찰|언론|방송|기자|뉴스|제보|별점|별 ?하나|알리
        결제|환불|돈|손해|피해|사기|날렸|수수료
        판매|매출|정산|장사|사장|광고|점주|업주|캠페인|행사|이벤트
        생일|선물|여행|결혼|내일|오늘|급|당장|빨리|까지
        다쳤|병원|벌레|곰팡|이물|아기|아이|임산|부모님|노인|할머니|배탈|냄새
        번|째|계속|또|매번|차례|반복
        답변|전화|연락|문의|상담|고객센터
        떠넘|미루|책임|물어보|여기저기|약속|다더니|한다고|했는데|말이
        아직|여전히|해결|그대로|안 ?왔|못 ?받|일부|반만|덜""",
    ZH: """气|火|无语|垃圾|态度|恶心|过分|坑
        急|担心|怕|怎么办|骗
        失望|后悔|难过|伤心|不值|没想到
        再也|以后|不会|别家|换|卸载|最后|拉黑|取消
        投诉|举报|工商|消协|法|警|律|曝光|差评|媒体|记者|微博|朋友圈|赔
        钱|扣|亏|损失|退款|贵|白
        卖|店铺|生意|货款|客户|下架|活动|促销|广告
        生日|节|明天|今天|赶|等|晚|迟|凉
        虫|霉|坏|烂|过敏|拉肚子|医院|头发|吐|痒|烫|漏电|老人|孩子|宝宝|孕
        次|遍|又|每次|一直|多少
        客服|电话|回复|联系|理|问
        推|说好|承诺|答应|说是|不是说|结果|承|说了
        还没|没收到|没到|少了|漏|一半|只有|没送|解决""",
    EN: """worst|terrible|ridiculous|angry|joke|hate|horrible|mad
        worr|scare|afraid|nervous|anxious|stolen|fraud|panic
        disappoint|sad|sorry|regret|loyal|unfortunate
        never|again|switch|last time|other airline|close my|delete|lost (?:a|my)|southwest
        lawyer|sue|legal|dot|report|complain|police|dispute|news|media|review|everyone|tweet
        money|charged|refund|pay|paid|cost|fee|lost|\\$
        business|work|meeting|job|client|sales|customers|campaign
        wedding|birthday|tomorrow|tonight|miss|vacation|funeral|urgent|asap|now|today
        sick|hurt|safe|baby|kid|mother|wheelchair|injur|pregnan|medic|elderly
        time|times|again|already|tried|keep
        hold|answer|respon|reply|call|phone|email
        told|said|promis|supposed|transfer|back and forth
        still|yet|fixed|resolved|part|only|waiting""",
}


@dataclass(frozen=True)
class Item:
    """One message of the sample: the file and row it stands in, and its text."""

    file: str
    row: int
    text: str
    stratum: str
    draw: str

    @property
    def hash(self) -> str:
        """What stands for the text in the labels."""
        return hash_of(self.text)

    @property
    def split(self) -> str:
        """'tune' is looked at while the packs are changed; 'held' was read for its labels only; 'fresh' came afterwards."""
        if self.draw != "first":
            return "tune" if self.draw == "second" else "fresh"
        return "tune" if int(self.hash[0], 16) % 2 else "held"


def hash_of(text: str) -> str:
    """What stands for a text in the labels: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def text_of(row: dict[str, object]) -> str:
    """The message of a row, whatever its file calls it."""
    return str(row.get("text") or row.get("review") or "")


def _pools(data: Path, language: str) -> Iterator[tuple[float, list[tuple[str, int, str]]]]:
    """(share of the sample, candidates), unhappy customers mostly."""

    def rows(name: str, wanted: object) -> list[tuple[str, int, str]]:
        table = parquet.read_table(data / name).to_pylist()
        kept = ((name, at, text_of(row)) for at, row in enumerate(table) if wanted(row))  # type: ignore[operator]
        return [one for one in kept if SHORTEST <= len(one[2].strip()) <= LONGEST]

    if language == KO:
        name = "ko_play_reviews.parquet"
        yield 0.85, rows(name, lambda r: r["app"] in SHOPS and r["rating"] <= 2)
        yield 0.15, rows(name, lambda r: r["app"] in SHOPS and r["rating"] >= 3)
    elif language == ZH:
        shopping = "zh_online_shopping_10_cats.parquet"
        yield 0.4, rows("zh_waimai_10k.parquet", lambda r: r["label"] == 0)
        yield 0.45, rows(shopping, lambda r: r["label"] == 0 and r["cat"] != "书籍")
        yield 0.15, rows(shopping, lambda r: r["label"] == 1 and r["cat"] != "书籍")
    else:
        yield 0.6, rows("en_airline_tweets.parquet", lambda r: r["airline_sentiment"] == "negative")
        yield 0.25, rows("en_banking77_train.parquet", lambda r: True)
        yield 0.15, rows("en_airline_tweets.parquet", lambda r: r["airline_sentiment"] != "negative")


def sample(data: Path, language: str, draw: str = "first") -> list[Item]:
    """The messages of a language, always the same, in an order that tells nothing; none that an earlier draw took."""
    seed, most_random, most_enriched = DRAWS[draw]
    earlier = list(DRAWS)[: list(DRAWS).index(draw)]
    taken = {item.text for name in earlier for item in sample(data, language, name)}
    random, out = Random(f"{seed} {language}"), list[Item]()
    pools = [(share, random.sample(pool, len(pool))) for share, pool in _pools(data, language)]

    def take(candidates: list[tuple[str, int, str]], most: int, stratum: str) -> None:
        fresh = (one for one in candidates if one[2] not in taken)
        for one in islice(fresh, most):
            taken.add(one[2])
            out.append(Item(*one, stratum, draw))

    for share, pool in pools:
        take(pool, round(most_random * share), "random")
    families = [re.compile(line.strip(), re.I) for line in WIDE[language].splitlines()]
    mixed = random.sample([one for _, pool in pools for one in pool], sum(len(pool) for _, pool in pools))
    for at, wide in enumerate(families):
        due = round(most_enriched * (at + 1) / len(families)) - round(most_enriched * at / len(families))
        take([one for one in mixed if wide.search(one[2])], due, "enriched")
    return random.sample(out, len(out))


if __name__ == "__main__":
    for draw, language in product(DRAWS, (KO, ZH, EN)):
        for number, item in enumerate(sample(Path(sys.argv[1]), language, draw)):
            print(draw, language, number, json.dumps(item.text, ensure_ascii=False))
