"""The addresses for those outside the desk: reporters, customers with a link, merchants."""

from __future__ import annotations

from django.urls import path, re_path

from makegood.web import customer, merchant, party, quiet, report

_TOKEN = r"^c/(?P<token>[^/]{1,300})/"

urlpatterns = [
    path("report/", report.shops, name="report_shops"),
    path("report/<slug:code>/", report.report, name="report"),
    path("report/<slug:code>/questions/", report.questions, name="report_questions"),
    re_path(_TOKEN + r"$", customer.show, name="customer_case"),
    re_path(_TOKEN + r"thanks/$", customer.thanks, name="customer_thanks"),
    re_path(_TOKEN + r"files/(?P<attachment_id>[0-9]{1,18})/$", customer.file, name="customer_file"),
    re_path(
        _TOKEN + r"(?P<name>say|held|choose|propose|confirm|reopen|withdraw)/$",
        customer.act,
        name="customer_act",
    ),
    re_path(r"^quiet/(?P<token>[^/]{1,300})/$", quiet.quiet, name="customer_quiet"),
    re_path(r"^p/(?P<token>[^/]{1,300})/$", party.show, name="party"),
    path("merchant/", merchant.cases, name="merchant"),
    path("merchant/new/", merchant.new, name="merchant_new"),
    path("merchant/<int:number>/", merchant.case, name="merchant_case"),
    path("merchant/<int:number>/files/<int:attachment_id>/", merchant.file, name="merchant_file"),
]
