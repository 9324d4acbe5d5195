#include "attest/roots/ak_chain.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

using attest::ca_issuer_urls;
using attest::fetch_ak_chain;
using net::HttpResponse;
using net::HttpServerRequest;

namespace {

struct Identity {
  base::EvpPkeyPtr key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
  base::X509Ptr certificate{X509_new()};
};

/// A certificate signed with `issuer`'s key; `access` is its Authority Information Access in OpenSSL's words.
Identity make_identity(const Identity* issuer, const std::string& access) {
  Identity made;
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_pubkey(certificate, made.key.get());
  if (!access.empty()) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_info_access, access.c_str());
    REQUIRE(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(certificate, issuer != nullptr ? issuer->key.get() : made.key.get(), EVP_sha256());
  return made;
}

/// Serves certificates under paths.
struct Library {
  asio::io_context context;
  std::map<std::string, base::Bytes> certificates;
  std::vector<std::string> asked_for;
  net::HttpServer server{context.get_executor(), [this](const HttpServerRequest& request) { return answer(request); }};
  std::string url = "http://127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0));
  net::HttpClient client{context.get_executor()};

  base::Awaitable<HttpResponse> answer(const HttpServerRequest& request) {
    asked_for.push_back(request.path);
    const auto found = certificates.find(request.path);
    HttpResponse response{404, {}, "no such certificate"};
    if (found != certificates.end()) response = {200, {}, std::string(base::text_of(found->second))};
    co_return response;
  }

  std::string access_to(const std::string& path) const { return "caIssuers;URI:" + url + path; }
  void put(const std::string& path, const Identity& identity) {
    certificates[path] = base::certificate_der(*identity.certificate);
  }
  std::vector<base::Bytes> fetch(const Identity& leaf) {
    return test::run(context, fetch_ak_chain(client, *leaf.certificate));
  }

  /// A leaf with `length` certificates above it, "/0" the highest.
  Identity chain_of(std::size_t length) {
    Identity above = make_identity(nullptr, "");
    for (std::size_t i = 0; i < length; ++i) {
      const std::string path = "/" + std::to_string(i);
      put(path, above);
      above = make_identity(&above, access_to(path));
    }
    return above;
  }
};

}  // namespace

TEST_CASE("a certificate's issuers are fetched up to one that names none") {
  Library library;
  const Identity leaf = library.chain_of(2);
  const auto chain = library.fetch(leaf);
  REQUIRE(chain.size() == 2);
  CHECK(chain[0] == library.certificates["/1"]);
  CHECK(chain[1] == library.certificates["/0"]);
  CHECK(library.fetch(make_identity(nullptr, "")).empty());
}

TEST_CASE("a chain of certificates is as long as the limit at most, and one more is refused") {
  Library library;
  SECTION("at the limit") { CHECK(library.fetch(library.chain_of(4)).size() == 4); }
  SECTION("beyond") {
    CHECK_THROWS_WITH(library.fetch(library.chain_of(5)), ContainsSubstring("max certificate chain length (4)"));
    CHECK(library.asked_for.size() == 4);
  }
  SECTION("a certificate that is its own issuer") {
    const Identity leaf = make_identity(nullptr, library.access_to("/self"));
    library.put("/self", leaf);
    CHECK_THROWS_WITH(library.fetch(leaf), ContainsSubstring("max certificate chain length (4)"));
    CHECK(library.asked_for.size() == 4);
  }
}

TEST_CASE("of a certificate's URLs as many are tried as the limit, and no more") {
  Library library;
  const Identity root = make_identity(nullptr, "");
  library.put("/root", root);
  std::string access;
  SECTION("the last of them has it") {
    access = library.access_to("/a") + "," + library.access_to("/b") + "," + library.access_to("/root");
    const auto chain = library.fetch(make_identity(&root, access));
    CHECK(chain == std::vector<base::Bytes>{library.certificates["/root"]});
  }
  SECTION("one behind them has it") {
    access = library.access_to("/a") + "," + library.access_to("/b") + "," + library.access_to("/c") + "," +
             library.access_to("/root");
    CHECK_THROWS_WITH(library.fetch(make_identity(&root, access)), ContainsSubstring("/c answered with status 404"));
    CHECK(library.asked_for == std::vector<std::string>{"/a", "/b", "/c"});
  }
}

TEST_CASE("what is not the issuer's certificate is refused") {
  Library library;
  const Identity root = make_identity(nullptr, "");
  const Identity leaf = make_identity(&root, library.access_to("/root"));
  SECTION("another's") {
    library.put("/root", make_identity(nullptr, ""));
    CHECK_THROWS_WITH(library.fetch(leaf), ContainsSubstring("is not the issuer of"));
  }
  SECTION("none at all") {
    library.certificates["/root"] = base::Bytes{0x30, 0x03, 0x02, 0x01, 0x00};
    CHECK_THROWS_AS(library.fetch(leaf), base::Error);
  }
  SECTION("more than a certificate needs") {
    library.certificates["/root"] = base::Bytes((std::size_t{64} << 10U) + 1);
    CHECK_THROWS_WITH(library.fetch(leaf), ContainsSubstring("more than is accepted"));
  }
}

TEST_CASE("only URLs of issuers count, as they stand") {
  const Identity several = make_identity(
      nullptr, "OCSP;URI:http://a.example/ocsp,caIssuers;DNS:b.example,caIssuers;URI:http://c.example/ca?x=1");
  CHECK(ca_issuer_urls(*several.certificate) == std::vector<std::string>{"http://c.example/ca?x=1"});
}
