#include "evidence/request_binding.h"

#include <set>

#include "base/encoding.h"
#include "tests/unit/catch.h"

using evidence::bound_qualifying_data;
using evidence::is_bound;
using evidence::TokenOptions;
using evidence::TokenType;

namespace {

const base::Bytes kBoundNonce = {1, 2, 3};
constexpr auto kService = "https://verifier.example:443";

TokenOptions some_options() {
  return {.audience = "https://rp.example",
          .nonces = {"nonce-one", "nonce-two"},
          .type = TokenType::kAwsPrincipalTags,
          .signature_key_ids = {"ab12"}};
}

}  // namespace

// The values were computed with another program from the header's description.
TEST_CASE("what is quoted is a hash of the nonce, the service and what is asked for") {
  CHECK(base::hex_encode(bound_qualifying_data(kBoundNonce, kService, some_options())) ==
        "c5b12602ec3a531b9c20eda3f93dc69000d944dada86311ce21fa1f1a47d7c5337a1");
  CHECK(base::hex_encode(bound_qualifying_data(kBoundNonce, kService, {})) ==
        "c5b103316b7aa82fbcf6620073bf46256c40f9e7701e7ac12b52e3738f8e28d41aaa");
}

TEST_CASE("no two requests have the same hash") {
  std::set<base::Bytes> seen;
  const auto add = [&](const base::Bytes& nonce, std::string_view service, const TokenOptions& options) {
    return seen.insert(bound_qualifying_data(nonce, service, options)).second;
  };
  CHECK(add(kBoundNonce, kService, some_options()));
  CHECK_FALSE(add(kBoundNonce, kService, some_options()));
  CHECK(add({1, 2}, kService, some_options()));
  CHECK(add(kBoundNonce, "https://verifier.example:444", some_options()));
  TokenOptions options = some_options();
  options.audience += "/";
  CHECK(add(kBoundNonce, kService, options));
  for (const std::vector<std::string>& nonces : {std::vector<std::string>{},
                                                 {"nonce-onenonce-two"},
                                                 {"nonce-one"},
                                                 {"nonce-two", "nonce-one"},
                                                 {"nonce-one", "nonce-two", ""}}) {
    options = some_options();
    options.nonces = nonces;
    CHECK(add(kBoundNonce, kService, options));
  }
  for (const TokenType type : {TokenType::kOidc, TokenType::kPki, TokenType::kLimitedAws}) {
    options = some_options();
    options.type = type;
    CHECK(add(kBoundNonce, kService, options));
  }
  options = some_options();
  options.signature_key_ids.clear();
  CHECK(add(kBoundNonce, kService, options));
  options.nonces.emplace_back("ab12");
  CHECK(add(kBoundNonce, kService, options));
}

TEST_CASE("key ids count where they are sent") {
  for (const TokenType type : {TokenType::kOidc, TokenType::kPki, TokenType::kLimitedAws}) {
    TokenOptions options;
    options.type = type;
    const base::Bytes without = bound_qualifying_data(kBoundNonce, kService, options);
    options.signature_key_ids = {"ab12"};
    CHECK(bound_qualifying_data(kBoundNonce, kService, options) == without);
  }
}

TEST_CASE("what is bound has a form of its own") {
  base::Bytes bytes = bound_qualifying_data(kBoundNonce, kService, {});
  CHECK(is_bound(bytes));
  bytes.push_back(0);
  CHECK_FALSE(is_bound(bytes));
  bytes.resize(evidence::kBoundBytes - 1);
  CHECK_FALSE(is_bound(bytes));
  bytes.resize(evidence::kBoundBytes);
  CHECK(is_bound(bytes));
  bytes[1] ^= 1U;
  CHECK_FALSE(is_bound(bytes));
  CHECK_FALSE(is_bound({}));
}
