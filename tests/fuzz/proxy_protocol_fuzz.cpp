#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "net/proxy_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView bytes(data, size);
  const base::ByteView start = bytes.first(std::min(size, net::kProxyHeaderStart));
  try {
    const std::size_t rest = net::proxy_header_rest(start);
    net::proxy_header_source(start, bytes.subspan(start.size(), std::min(rest, size - start.size())));
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
