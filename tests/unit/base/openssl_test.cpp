#include "base/openssl.h"

#include "base/encoding.h"
#include "base/error.h"
#include "tests/unit/catch.h"

TEST_CASE("SHA-256 of a stream is that of the whole") {
  base::Sha256 hash;
  hash.update(base::view_of("a"));
  hash.update(base::view_of("bc"));
  CHECK(base::hex_encode(hash.finish()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("random bytes differ") {
  CHECK(base::random_bytes(32).size() == 32);
  CHECK(base::random_bytes(32) != base::random_bytes(32));
}

TEST_CASE("what is no certificate is refused with its field") {
  CHECK_THROWS_WITH(base::parse_certificate(base::to_bytes("junk"), "akCert"), ContainsSubstring("akCert: not a DER"));
  CHECK_THROWS_AS(base::parse_certificate({}, "akCert"), base::InvalidInput);
  CHECK_THROWS_WITH(base::parse_pem_certificates("", "ca.pem"), ContainsSubstring("ca.pem: from line 1 on: "));
  CHECK_THROWS_AS(base::parse_pem_certificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "ca"),
                  base::InvalidInput);
}
