#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "net/http.h"
#include "oci/distribution/location.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr auto kFrom = "https://registry.example/v2/x/blobs/y?z";
  try {
    const std::string target = oci::resolve_location(kFrom, base::text_of({data, size}));
    if (oci::repair_url(target, "again") != target) std::abort();
    net::HttpUrl::parse(target, "target");
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
