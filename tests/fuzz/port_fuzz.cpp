#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "firewall/port.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::vector<firewall::Port> ports = firewall::parse_list(base::text_of({data, size}));
    // What is accepted can be sent, and reads back as it was.
    const std::string text = firewall::to_string(ports);
    if (text.size() > firewall::kMaxListBytes || firewall::parse_list(text) != ports) std::abort();
  } catch (const base::Error&) {
  }
  return 0;
}
