#pragma once

#include <string_view>

#include "attest/token_service.h"
#include "base/asio.h"
#include "evidence/messages.h"
#include "net/http.h"

namespace teeserver {

/// The body of POST /v1/token as token options. Keys match in any case of letters, unknown ones are refused. Throws
/// InvalidInput; an audience or token type that is missing is the caller's to refuse.
struct TokenRequest {
  evidence::TokenOptions options;
  std::string token_type;  ///< as written; options.type means it only once it is known

  static TokenRequest parse(std::string_view body);
};

/// The workload's endpoints:
///   GET  /v1/token   the default token, from memory while it lives long enough; fresh with Cache-Control: no-cache
///   POST /v1/token   a token with the audience, nonces and type of the body
/// Errors are plain text.
class TokenApi {
 public:
  /// `tokens` must outlive this.
  explicit TokenApi(attest::TokenService& tokens) : tokens_(tokens) {}

  base::Awaitable<net::HttpResponse> handle(const net::HttpServerRequest& request);

 private:
  base::Awaitable<net::HttpResponse> get_default(const net::HttpServerRequest& request);
  base::Awaitable<net::HttpResponse> post_custom(const net::HttpServerRequest& request);

  attest::TokenService& tokens_;
};

}  // namespace teeserver
