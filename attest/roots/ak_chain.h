#pragma once

#include <string>
#include <vector>

#include "base/asio.h"
#include "base/bytes.h"
#include "base/openssl.h"
#include "net/http_client.h"

namespace attest {

/// The "CA issuers" URLs of a certificate's Authority Information Access extension (RFC 5280 section 4.2.2.1).
std::vector<std::string> ca_issuer_urls(const X509& certificate);

/// Fetches the issuers of `leaf` by their URLs until one names none: DER, each the issuer of the one before. At most
/// four certificates, at most three URLs tried for each. Throws Error when a link can't be had.
base::Awaitable<std::vector<base::Bytes>> fetch_ak_chain(net::HttpClient& client, const X509& leaf);

}  // namespace attest
