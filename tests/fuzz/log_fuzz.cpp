#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/encoding.h"
#include "base/log.h"

// Whatever stands in a text, the line is one line of UTF-8 without controls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of({data, size});
  const std::string line = base::log::format(text, {{text, text}});
  const bool is_clean = std::ranges::none_of(line, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
  if (!is_clean || !base::is_utf8(line)) std::abort();
  return 0;
}
