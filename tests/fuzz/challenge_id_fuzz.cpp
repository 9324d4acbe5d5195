#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "verifier/service/challenges/challenge_id.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of({data, size});
  const auto id = verifier::ChallengeId::parse(text);
  if (id && id->text() != text) std::abort();  // an id has one spelling
  return 0;
}
