#include "evidence/request_binding.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "measure/hash.h"

namespace evidence {
namespace {

using base::Bytes;
using base::ByteView;

constexpr std::array<std::uint8_t, 2> kPrefix = {0xc5, 0xb1};
constexpr std::string_view kLabel("cs-request-binding-v1\0", 22);
const std::vector<std::string> kNone;

void append_element(Bytes& out, ByteView bytes) {
  base::append_u32_be(out, static_cast<std::uint32_t>(bytes.size()));
  base::append(out, bytes);
}

void append_list(Bytes& out, const std::vector<std::string>& texts) {
  base::append_u32_be(out, static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) append_element(out, base::view_of(text));
}

}  // namespace

Bytes bound_qualifying_data(ByteView nonce, std::string_view service, const TokenOptions& options) {
  Bytes bytes;
  base::append(bytes, base::view_of(kLabel));
  append_element(bytes, nonce);
  append_element(bytes, base::view_of(service));
  append_element(bytes, base::view_of(options.audience));
  append_list(bytes, options.nonces);
  append_element(bytes, base::view_of(name_of(options.type)));
  append_list(bytes, options.type == TokenType::kAwsPrincipalTags ? options.signature_key_ids : kNone);
  Bytes bound(kPrefix.begin(), kPrefix.end());
  base::append(bound, measure::hash(measure::HashAlgorithm::kSha256, bytes));
  return bound;
}

bool is_bound(ByteView qualifying_data) {
  return qualifying_data.size() == kBoundBytes && std::equal(kPrefix.begin(), kPrefix.end(), qualifying_data.begin());
}

}  // namespace evidence
