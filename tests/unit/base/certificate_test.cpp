#include "base/certificate.h"

#include <chrono>

#include "base/error.h"
#include "tests/unit/catch.h"

namespace {

using namespace std::chrono_literals;

const base::Validity kLongAgo{base::from_unix_seconds(1000000000), base::from_unix_seconds(4102444800)};

}  // namespace

TEST_CASE("a certificate says what its draft was told, and its issuer's key signs it") {
  const base::EvpPkeyPtr root_key(EVP_EC_gen("P-256"));
  const base::EvpPkeyPtr leaf_key(EVP_EC_gen("P-256"));
  base::CertificateDraft root_draft(*root_key, "Root", nullptr, kLongAgo);
  root_draft.add_extension(NID_basic_constraints, "critical,CA:TRUE");
  root_draft.add_extension(NID_subject_key_identifier, "hash");
  const base::X509Ptr root = std::move(root_draft).sign(*root_key);
  base::CertificateDraft leaf_draft(*leaf_key, "Leaf", root.get(), kLongAgo);
  leaf_draft.add_extension(NID_authority_key_identifier, "keyid:always");
  const base::Bytes content = {0x0c, 0x01, 0x41};
  leaf_draft.add_extension("1.2.3.4", content);
  const base::X509Ptr leaf = std::move(leaf_draft).sign(*root_key);

  CHECK(base::certificate_common_name(*leaf) == "Leaf");
  CHECK(base::validity_of(*leaf).not_before == kLongAgo.not_before);
  CHECK(base::validity_of(*leaf).not_after == kLongAgo.not_after);
  CHECK(X509_check_issued(root.get(), leaf.get()) == X509_V_OK);
  CHECK(X509_verify(leaf.get(), root_key.get()) == 1);
  CHECK(X509_check_ca(root.get()) == 1);
  CHECK(base::is_key_of(*leaf_key, *leaf));
  CHECK_FALSE(base::is_key_of(*root_key, *leaf));
  CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(root.get()), X509_get0_serialNumber(leaf.get())) != 0);
}

TEST_CASE("what can't be in a certificate is an error") {
  const base::EvpPkeyPtr key(EVP_EC_gen("P-256"));
  base::CertificateDraft draft(*key, "Name", nullptr, kLongAgo);
  CHECK_THROWS_AS(draft.add_extension(NID_key_usage, "no such usage"), base::Error);
  CHECK_THROWS_WITH(base::CertificateDraft(*key, std::string(65, 'a'), nullptr, kLongAgo),
                    ContainsSubstring("setting the subject"));
}

TEST_CASE("keys and certificates go out as PEM and come back") {
  const base::EvpPkeyPtr key(EVP_EC_gen("P-256"));
  const base::X509Ptr certificate = base::CertificateDraft(*key, "Name", nullptr, kLongAgo).sign(*key);
  const auto again = base::parse_pem_certificates(base::certificate_pem(*certificate), "pem");
  CHECK(X509_cmp(again.front().get(), certificate.get()) == 0);
  const std::string pem = base::private_key_pem(*key);
  CHECK(EVP_PKEY_eq(base::parse_private_key(pem, "pem").get(), key.get()) == 1);
  CHECK_THROWS_WITH(base::parse_private_key(base::certificate_pem(*certificate), "key.pem"),
                    ContainsSubstring("key.pem: is no private key in PEM"));
}
