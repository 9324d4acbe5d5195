#include "attest/roots/ak_chain.h"

#include <memory>

#include "base/error.h"

namespace attest {
namespace {

constexpr std::size_t kMaxChainLength = 4;
constexpr std::size_t kMaxUrlsTried = 3;
constexpr net::HttpLimits kLimits{.max_body_bytes = std::size_t{64} << 10U, .timeout = base::Milliseconds(10000)};

using AccessInfoPtr = std::unique_ptr<AUTHORITY_INFO_ACCESS, base::FreeWith<AUTHORITY_INFO_ACCESS_free>>;

/// The certificate at `url` if its key signed `child`; throws Error otherwise.
base::Awaitable<base::X509Ptr> fetch_issuer(net::HttpClient& client, std::string url, X509& child) {
  net::HttpRequest request{.url = url};
  const net::HttpResponse response = co_await client.send(std::move(request), kLimits);
  if (response.status != net::status::kOk)
    throw base::Error(url + " answered with status " + std::to_string(response.status));
  base::X509Ptr issuer = base::parse_certificate(base::view_of(response.body), url);
  if (X509_verify(&child, X509_get0_pubkey(issuer.get())) != 1) {
    base::openssl_error();
    throw base::Error(url + " is not the issuer of " + base::certificate_subject(child));
  }
  co_return issuer;
}

base::Awaitable<base::X509Ptr> fetch_first_issuer(net::HttpClient& client, std::vector<std::string> urls, X509& child) {
  std::string failures;
  for (std::size_t i = 0; i < std::min(urls.size(), kMaxUrlsTried); ++i) {
    try {
      co_return co_await fetch_issuer(client, urls[i], child);
    } catch (const base::Error& error) {
      failures += failures.empty() ? error.what() : "; " + std::string(error.what());
    }
  }
  throw base::Error("attestation key certificate chain: " + failures);
}

}  // namespace

std::vector<std::string> ca_issuer_urls(const X509& certificate) {
  std::vector<std::string> urls;
  const AccessInfoPtr access(
      static_cast<AUTHORITY_INFO_ACCESS*>(X509_get_ext_d2i(&certificate, NID_info_access, nullptr, nullptr)));
  for (int i = 0; access && i < sk_ACCESS_DESCRIPTION_num(access.get()); ++i) {
    const ACCESS_DESCRIPTION* entry = sk_ACCESS_DESCRIPTION_value(access.get(), i);
    if (OBJ_obj2nid(entry->method) != NID_ad_ca_issuers || entry->location->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = entry->location->d.uniformResourceIdentifier;
    urls.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                      static_cast<std::size_t>(ASN1_STRING_length(uri)));
  }
  return urls;
}

base::Awaitable<std::vector<base::Bytes>> fetch_ak_chain(net::HttpClient& client, const X509& leaf) {
  std::vector<base::Bytes> chain;
  base::X509Ptr child(X509_dup(&leaf));
  for (std::vector<std::string> urls = ca_issuer_urls(*child); !urls.empty(); urls = ca_issuer_urls(*child)) {
    if (chain.size() == kMaxChainLength) {
      throw base::Error("attestation key certificate chain: max certificate chain length (4) exceeded");
    }
    child = co_await fetch_first_issuer(client, std::move(urls), *child);
    chain.push_back(base::certificate_der(*child));
  }
  co_return chain;
}

}  // namespace attest
