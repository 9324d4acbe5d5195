#pragma once

#include <string_view>

#include "attest/messages.h"
#include "attest/token_service.h"
#include "base/asio.h"
#include "base/http.h"

namespace teeserver {

/// The body of POST /v1/token as token options. Keys match in any case of letters, unknown ones are refused. Throws
/// InvalidInput; an audience or token type that is missing is the caller's to refuse.
struct TokenRequest {
  attest::TokenOptions options;
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

  base::Awaitable<base::HttpResponse> handle(const base::HttpServerRequest& request);

 private:
  base::Awaitable<base::HttpResponse> get_default(const base::HttpServerRequest& request);
  base::Awaitable<base::HttpResponse> post_custom(const base::HttpServerRequest& request);

  attest::TokenService& tokens_;
};

}  // namespace teeserver
