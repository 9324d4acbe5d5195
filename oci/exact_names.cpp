#include "oci/exact_names.h"

#include <algorithm>
#include <string>

#include "base/ascii.h"
#include "base/error.h"

namespace oci {
namespace {

constexpr std::string_view kLongS = "\xc5\xbf";           // U+017F
constexpr std::string_view kKelvinSign = "\xe2\x84\xaa";  // U+212A

/// With the two letters beyond ASCII that encoding/json takes for letters of ASCII.
std::string in_ascii(std::string_view name) {
  std::string result;
  while (!name.empty()) {
    std::size_t length = 1;
    if (name.starts_with(kLongS)) {
      result.push_back('s');
      length = kLongS.size();
    } else if (name.starts_with(kKelvinSign)) {
      result.push_back('k');
      length = kKelvinSign.size();
    } else {
      result.push_back(name.front());
    }
    name.remove_prefix(length);
  }
  return result;
}

}  // namespace

void expect_exact_names(const base::JsonObject& object, std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : object.raw().items()) {
    if (std::ranges::find(names, name) != names.end()) continue;
    const std::string other = in_ascii(name);
    for (const std::string_view known : names) {
      if (!base::equal_ignoring_case(other, known)) continue;
      throw base::InvalidInput(object.path(), "has a member named like \"" + std::string(known) +
                                                  "\" in other letters' case, which others would take for it");
    }
  }
}

}  // namespace oci
