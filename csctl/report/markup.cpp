#include "csctl/report/markup.h"

#include "base/log.h"

namespace csctl {

std::string escaped(std::string_view text) {
  std::string markup;
  for (const char c : base::log::one_line(text)) {
    switch (c) {
      case '&': markup += "&amp;"; break;
      case '<': markup += "&lt;"; break;
      case '>': markup += "&gt;"; break;
      case '"': markup += "&quot;"; break;
      case '\'': markup += "&#39;"; break;
      default: markup += c;
    }
  }
  return markup;
}

std::string element(std::string_view tag, std::string_view text, std::string_view css_class) {
  std::string markup = "<" + std::string(tag);
  if (!css_class.empty()) markup += " class='" + std::string(css_class) + "'";
  return markup + ">" + escaped(text) + "</" + std::string(tag) + ">";
}

}  // namespace csctl
