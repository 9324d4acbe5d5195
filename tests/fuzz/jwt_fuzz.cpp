#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "attest/token.h"
#include "base/bytes.h"
#include "base/encoding.h"
#include "base/error.h"
#include "evidence/jose.h"

namespace {

constexpr auto kAudience = "a";
const base::WallTime kNow{std::chrono::seconds{1700000000}};

void parse(const std::string& jwt) {
  try {
    (void)evidence::read_unverified_jwt(jwt);
    const attest::Token token = attest::Token::parse(jwt, kAudience, kNow);
    if (token.expires <= kNow || token.lifetime < std::chrono::seconds{0}) std::abort();
  } catch (const base::InvalidInput&) {
  }
}

}  // namespace

/// The bytes are taken once as a whole token and once as the claims of one, which random base64 hardly reaches.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  parse(std::string(base::text_of({data, size})));
  const std::string header = base::base64url_encode(base::view_of(R"({"alg":"RS256","kid":"k","typ":"JWT"})"));
  parse(header + "." + base::base64url_encode({data, size}) + ".c2lnbmF0dXJl");
  return 0;
}
