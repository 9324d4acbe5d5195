#include "evidence/request_binding.h"

#include <string>
#include <vector>

#include "measure/hash.h"

namespace evidence {
namespace {

using base::Bytes;
using base::ByteView;

constexpr std::string_view kLabel("cs-request-binding-v1\0", 22);

void append_element(Bytes& out, ByteView bytes) {
  base::append_u32_be(out, static_cast<std::uint32_t>(bytes.size()));
  base::append(out, bytes);
}

void append_list(Bytes& out, const std::vector<std::string>& texts) {
  base::append_u32_be(out, static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) append_element(out, base::view_of(text));
}

}  // namespace

Bytes bound_nonce(ByteView nonce, std::string_view service, const TokenOptions& options) {
  Bytes bytes;
  base::append(bytes, base::view_of(kLabel));
  append_element(bytes, nonce);
  append_element(bytes, base::view_of(service));
  append_element(bytes, base::view_of(options.audience));
  append_list(bytes, options.nonces);
  append_element(bytes, base::view_of(name_of(options.type)));
  append_list(bytes, options.signature_key_ids);
  return measure::hash(measure::HashAlgorithm::kSha256, bytes);
}

}  // namespace evidence
