#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "launcher/host/device_mapper.h"

namespace {

/// The first byte says how many targets there are, the rest is the kernel's answer.
void parse_answer(base::ByteView input) {
  for (const launcher::DmTarget& target : launcher::parse_dm_targets(input.subspan(1), input[0])) {
    if (target.type.size() > 16) std::abort();
  }
}

template <typename Parse>
void parse_text(base::ByteView input, Parse parse) {
  try {
    (void)parse(base::text_of(input));
  } catch (const base::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView input(data, size);
  parse_text(input, launcher::VerityTable::parse);
  parse_text(input, launcher::CryptTable::parse);
  parse_text(input, launcher::verity_is_intact);
  try {
    if (!input.empty()) parse_answer(input);
  } catch (const base::Error&) {
  }
  return 0;
}
