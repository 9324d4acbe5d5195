#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "teeserver/endpoints/token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    (void)teeserver::TokenRequest::parse(base::text_of({data, size}));
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
