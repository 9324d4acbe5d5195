#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "evidence/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::Json said;
  try {
    const base::Json json = base::parse_json(base::text_of({data, size}), "request");
    said = evidence::VerifyRequest::parse(base::JsonObject(json, "request")).to_json("challenge");
  } catch (const base::InvalidInput&) {
    return 0;
  }
  // What was read can be said again, and reads as the same. Anything thrown from here is a fault.
  const auto again = evidence::VerifyRequest::parse(base::JsonObject(said, "request"));
  if (again.to_json("challenge") != said) std::abort();
  return 0;
}
