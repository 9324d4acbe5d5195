#pragma once

#include <string_view>

#include "attest/token_service.h"
#include "attest/turns.h"
#include "evidence/messages.h"
#include "teeserver/router.h"

namespace teeserver {

/// The body of POST /v1/token as token options. Keys match in any case of letters, unknown ones are refused. Throws
/// InvalidInput; an audience or token type that is missing is the caller's to refuse.
struct TokenRequest {
  evidence::TokenOptions options;
  std::string token_type;  ///< as written; options.type means it only once it is known
  bool has_tag_options = false;

  static TokenRequest parse(std::string_view body);
};

///   GET  /v1/token   the default token, from memory while it lives long enough; fresh with Cache-Control: no-cache
///   POST /v1/token   a token with the audience, nonces and type of the body
/// Both must outlive it.
Endpoint token_endpoint(attest::TokenService& tokens, attest::Turns& turns);

}  // namespace teeserver
