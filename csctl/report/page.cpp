#include "csctl/report/page.h"

#include <map>
#include <set>

#include "csctl/report/markup.h"
#include "csctl/report/picture.h"
#include "csctl/report/style.h"

namespace csctl {
namespace {

std::string capital(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z') result[0] = static_cast<char>(result[0] - 'a' + 'A');
  return result;
}

/// A description list's pair, whose term is read out and, on narrow pages, shown.
std::string pair(std::string_view term, std::string_view text, std::string_view css_class) {
  if (text.empty()) return "";
  return "<div class='" + std::string(css_class) + "'>" + element("dt", term) + "<dd><bdi>" + escaped(text) +
         "</bdi></dd></div>";
}

std::string badge(State state) { return element("span", capital(name_of(state)), "badge " + css_class_of(state)); }

std::string expectations_of(const Link& link) {
  std::string markup;
  for (const auto& [field, expected, found] : link.expectations) {
    markup += "<dl class='expectation'>" + pair("What", field, "field") +
              pair("Expected", expected.empty() ? "nothing" : expected, "expected") +
              pair("Found", found.empty() ? "nothing" : found, "found") + "</dl>";
  }
  return markup;
}

std::string chain_section(const Report& report) {
  std::string markup = "<section aria-labelledby='chain'><h2 id='chain'>Chain of trust</h2>";
  markup += chain_picture(report.chain, Layout::kWide) + chain_picture(report.chain, Layout::kTall);
  markup += "<ol class='links'>";
  for (const Link& link : report.chain) {
    markup += "<li class='" + css_class_of(link.state) + "'><h3>" + escaped(link.name) + " " + badge(link.state) +
              "</h3><dl>" + pair("It is", link.what, "what") + pair("What proves it", link.proof, "proof") + "</dl>" +
              expectations_of(link) + "</li>";
  }
  return markup + "</ol></section>";
}

std::string checks_section(const Report& report) {
  if (report.checks.empty()) return "";
  std::string markup = "<section aria-labelledby='checks'><h2 id='checks'>Checks</h2><ul class='rows'>";
  for (const ReportCheck& check : report.checks) {
    markup += "<li class='" + css_class_of(check.state) + "'>" + badge(check.state) + "<dl>" +
              pair("Check", check.name, "strong") + pair("Why", check.why, "why") + "</dl></li>";
  }
  return markup + "</ul></section>";
}

std::string moment_markup(const Moment& moment) {
  const bool differs = !moment.expected.empty();
  const char* css_class = differs ? "fails" : moment.standing == "measured" ? "measured" : "unknown";
  std::string markup = "<li class='" + std::string(css_class) + "'><span class='register'>PCR " +
                       std::to_string(moment.pcr) + "</span> ";
  markup += "<span class='event'><bdi>" + escaped(moment.text) + "</bdi> ";
  markup += element("span", moment.standing + (moment.purpose.empty() ? "" : "; " + moment.purpose), "note");
  if (differs) markup += "<br><span class='note'>Expected: <bdi>" + escaped(moment.expected) + "</bdi></span>";
  return markup + "</span></li>";
}

std::string timeline_section(const Report& report) {
  if (report.moments.empty()) return "";
  std::string markup =
      "<section aria-labelledby='events'><h2 id='events'>Boot and launch</h2>"
      "<p class='note'>In the order in which it was measured. A text that is measured is what the register holds; "
      "one "
      "that is only said may be anything.</p>";
  std::string phase;
  for (const Moment& moment : report.moments) {
    if (moment.phase != phase) {
      if (!phase.empty()) markup += "</ol></details>";
      phase = moment.phase;
      markup += "<details open><summary>" + escaped(capital(phase)) + "</summary><ol class='timeline'>";
    }
    markup += moment_markup(moment);
  }
  return markup + "</ol></details></section>";
}

std::string claims_section(const Report& report) {
  if (report.claims.empty()) return "";
  std::string markup =
      "<section aria-labelledby='claims'><h2 id='claims'>Claims of the token</h2><ul class='rows claims'>";
  for (const ClaimLine& line : report.claims) {
    markup += "<li><dl>" + pair("Claim", line.claim, "strong code") + pair("Value", line.value, "code") +
              pair("Proves", line.proves, "why") + pair("From", line.source, "why") + "</dl></li>";
  }
  return markup + "</ul></section>";
}

}  // namespace

std::string page_of(const Report& report) {
  std::string page =
      "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
      R"(<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">)"
      "<meta name='viewport' content='width=device-width, initial-scale=1'>"
      "<meta name='color-scheme' content='light dark'>" +
      element("title", report.title) + "<style>\n" + kReportStyle + "</style></head>\n<body>";
  page += "<header>" + element("h1", report.title) + "<p class='verdict " + css_class_of(report.state) + "'>" +
          badge(report.state) + " <bdi>" + escaped(report.verdict) + "</bdi></p></header>\n<main>\n";
  page += chain_section(report) + "\n" + checks_section(report) + "\n" + claims_section(report) + "\n" +
          timeline_section(report);
  page += "\n</main><footer><p>Made by csctl at <time>" + escaped(report.made_at) + "</time>" +
          (report.as_of == report.made_at ? "" : ", as of " + escaped(report.as_of)) + ". " + escaped(report.legend) +
          "</p></footer></body></html>\n";
  return page;
}

}  // namespace csctl
