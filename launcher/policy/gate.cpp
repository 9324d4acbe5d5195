#include "launcher/policy/gate.h"

#include <string_view>

#include "base/ascii.h"
#include "base/error.h"

namespace launcher {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

std::string_view name_of(Gate gate) {
  switch (gate) {
    case Gate::kDebugOnly: return "debugonly";
    case Gate::kAlways: return "always";
    case Gate::kNever: return "never";
  }
  throw base::Error("unknown gate");
}

Gate read_gate(LabelReader& reader, const std::string& label) {
  const auto given = reader.text(label);
  if (!given) return Gate::kDebugOnly;
  const std::string_view word = trimmed(*given);
  for (const Gate gate : {Gate::kDebugOnly, Gate::kAlways, Gate::kNever}) {
    if (base::equal_ignoring_case(word, name_of(gate))) return gate;
  }
  reader.reject(label);
  return Gate::kNever;
}

}  // namespace launcher
