#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/json.h"

namespace {

constexpr std::size_t kLarge = std::size_t{1} << 20U;
constexpr base::JsonLimits kLimits{.max_bytes = 2 * kLarge, .max_depth = 32, .max_values = kLarge};

void parse(const std::string& text) {
  try {
    const base::Json document = base::parse_json(text, "fuzz", kLimits);
    // What was accepted is the same document when it is written and read again.
    if (base::parse_json(document.dump(), "again", {.max_bytes = 16 * kLarge, .max_values = kLarge}) != document) {
      std::abort();
    }
  } catch (const base::InvalidInput&) {
  }
}

/// The text as an element, so often that work which grows faster than its input runs into the time limit.
std::string repeated(const std::string& text) {
  std::string array = "[" + text;
  while (array.size() + text.size() + 2 < kLarge) array.append(",").append(text);
  return array + "]";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  parse(text);
  static unsigned count = 0;
  constexpr unsigned kOneIn = 64;  // so that the small ones stay fast
  if (++count % kOneIn == 0) parse(repeated(text));
  return 0;
}
