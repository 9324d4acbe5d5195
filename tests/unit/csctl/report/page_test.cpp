#include "csctl/report/page.h"

#include "csctl/report/markup.h"
#include "csctl/report/picture.h"
#include "tests/unit/catch.h"

using csctl::page_of;
using csctl::Report;
using csctl::State;

namespace {

const std::string kHostile = "<script>alert('x')</script>\" onload=\"y\x1b[2J\n\xff";

Report report_of(const std::string& text) {
  Report report;
  report.title = report.verdict = report.legend = text;
  report.state = State::kFails;
  report.made_at = "2026-01-31T23:59:59Z";
  report.as_of = "2040-01-01T00:00:00Z";
  report.chain = {
      {.name = text, .state = State::kFails, .what = text, .proof = text, .expectations = {{text, "", text}}},
      {.name = "Keys", .state = State::kUnknown, .what = {}, .proof = "p"},
      {.name = "Token", .state = State::kHolds, .what = "w", .proof = "p"}};
  report.checks = {{text, State::kHolds, text}};
  report.moments = {
      {.phase = "boot", .number = 1, .pcr = 7, .purpose = text, .standing = text, .text = text},
      {.phase = "launch", .number = 1, .pcr = 13, .purpose = "", .standing = "said", .text = "x", .expected = text}};
  report.claims = {{text, text, text, text}};
  return report;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace

TEST_CASE("Nothing that is shown becomes part of the page") {
  const std::string page = page_of(report_of(kHostile));
  CHECK(count_of(page, "<script") == 0);
  CHECK(count_of(page, "\" onload") == 0);
  CHECK(page.find('\x1b') == std::string::npos);
  CHECK(page.find('\xff') == std::string::npos);
  CHECK(count_of(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot; onload=&quot;y\\x1b[2J") > 10);
}

TEST_CASE("The page stands alone, and forbids itself to fetch or run anything") {
  const std::string page = page_of(report_of("text"));
  CHECK_THAT(page, ContainsSubstring(R"(content="default-src 'none'; style-src 'unsafe-inline'")"));
  for (const char* reference : {" src=", " href=", "url(", "@import", "<script", "<link", "http-equiv='refresh'"}) {
    INFO(reference);
    CHECK(count_of(page, reference) == 0);
  }
  CHECK_THAT(page, StartsWith("<!DOCTYPE html>\n<html lang='en'>"));
}

TEST_CASE("A page says when it was made, and for which moment") {
  Report report = report_of("text");
  CHECK_THAT(page_of(report), ContainsSubstring("2026-01-31T23:59:59Z</time>, as of 2040-01-01T00:00:00Z. text"));
  report.as_of = report.made_at;
  CHECK_THAT(page_of(report), ContainsSubstring("2026-01-31T23:59:59Z</time>. text"));
}

TEST_CASE("What is not known of is left out") {
  Report report = report_of("text");
  report.checks.clear();
  report.moments.clear();
  report.claims.clear();
  const std::string page = page_of(report);
  CHECK(count_of(page, "<section") == 1);
  CHECK(count_of(page_of(report_of("text")), "<section") == 4);
  CHECK(count_of(page_of(report_of("text")), "<details open>") == 2);
}

TEST_CASE("The picture has a box, a sign and a word for each link, and an arrow between two") {
  const auto chain = report_of("text").chain;
  for (const auto layout : {csctl::Layout::kWide, csctl::Layout::kTall}) {
    const std::string svg = csctl::chain_picture(chain, layout);
    CHECK(count_of(svg, "<rect") == 3);
    CHECK(count_of(svg, "class='sign'") == 3);
    CHECK(count_of(svg, "class='arrow'") == 2);
    CHECK_THAT(svg, ContainsSubstring("aria-label='Chain of trust: text (does not hold), then Keys (not known), then "
                                      "Token (holds)'"));
  }
}

TEST_CASE("Markup is escaped wherever it may stand") {
  CHECK(csctl::escaped("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#39;");
  CHECK(csctl::element("p", "<") == "<p>&lt;</p>");
  CHECK(csctl::element("p", "a", "x y") == "<p class='x y'>a</p>");
}

TEST_CASE("A report is one document, too") {
  const base::Json json = report_of("text").to_json();
  CHECK(json["state"] == "does not hold");
  CHECK(json["chain"][0]["expectations"][0]["found"] == "text");
  CHECK(json["chain"][1]["state"] == "not known");
  CHECK(json["moments"][1]["expected"] == "text");
  CHECK_FALSE(json["moments"][0].contains("expected"));
  CHECK(json["claims"][0]["source"] == "text");
  CHECK(json["checks"][0]["state"] == "holds");
}
