#include "verifier/appraisal/tpm.h"

#include <chrono>
#include <functional>
#include <memory>

#include <openssl/bn.h>
#include <openssl/ec.h>

#include "attest/roots/attestation_key.h"
#include "base/error.h"
#include "evidence/refusal.h"
#include "measure/cel.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/cel_records.h"
#include "tests/unit/verifier/support/esys_attestations.h"
#include "tests/unit/verifier/support/machine.h"
#include "tpm/nv_indices.h"
#include "verifier/reference/recording.h"
#include "verifier/reference/reference_values.h"
#include "vtpm/provision.h"

namespace {

using namespace std::chrono_literals;
using evidence::Quote;
using evidence::TpmEvidence;
using measure::HashAlgorithm;
using verifier::Scope;

/// One machine for all tests: each asks it for evidence and spoils that.
test::Machine& real_machine() {
  static test::Machine one;
  return one;
}

const base::Bytes& nonce() {
  static const base::Bytes bytes = base::random_bytes(32);
  return bytes;
}

const TpmEvidence& good_evidence() {
  static const TpmEvidence evidence = real_machine().evidence(nonce());
  return evidence;
}

std::string refusal_of(const TpmEvidence& evidence, const base::Bytes& expected_nonce = nonce()) {
  try {
    verifier::appraise(evidence, expected_nonce, real_machine().anchors(), base::Clock::system().wall(),
                       Scope::kLaunch);
    return "accepted";
  } catch (const evidence::Refusal& error) {
    return error.what();
  }
}

std::string refusal_of(const std::function<void(TpmEvidence&)>& change) {
  TpmEvidence evidence = good_evidence();
  change(evidence);
  return refusal_of(evidence);
}

Quote& quote_of(TpmEvidence& evidence, HashAlgorithm bank) {
  return *std::ranges::find(evidence.quotes, bank, &Quote::bank);
}

/// A quote that the machine really makes, over a selection that nobody asked for.
Quote quote_over(HashAlgorithm bank, std::vector<std::uint32_t> pcrs, base::ByteView data) {
  const auto key = attest::load_attestation_key(real_machine().tpm(), tpm::kEccKeyIndices);
  auto blob = real_machine().tpm().quote(key.key, data, {bank, pcrs});
  return {bank, real_machine().tpm().read_pcrs(bank, pcrs), std::move(blob.attest), std::move(blob.signature)};
}

std::vector<std::uint32_t> range(std::uint32_t begin, std::uint32_t end) {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = begin; i < end; ++i) numbers.push_back(i);
  return numbers;
}

/// The launch log with other events, the digests recomputed as a forger would.
base::Bytes forged_log(const std::vector<measure::Event>& events) {
  const std::vector<HashAlgorithm> banks(measure::kHashAlgorithms.begin(), measure::kHashAlgorithms.end());
  base::Bytes log;
  for (const measure::CelRecord& record : test::records_of(events, banks)) {
    base::append(log, measure::encode_record(record));
  }
  return log;
}

void sign_certificate(X509& certificate, EVP_PKEY& subject_key, EVP_PKEY& issuer_key) {
  const base::WallTime now = base::Clock::system().wall();
  X509_set_version(&certificate, X509_VERSION_3);
  ASN1_TIME_set(X509_getm_notBefore(&certificate), base::to_unix_seconds(now - 1h));
  ASN1_TIME_set(X509_getm_notAfter(&certificate), base::to_unix_seconds(now + 1h));
  const auto* name = reinterpret_cast<const unsigned char*>("authority");
  X509_NAME_add_entry_by_NID(X509_get_issuer_name(&certificate), NID_commonName, MBSTRING_UTF8, name, -1, -1, 0);
  X509_set_pubkey(&certificate, &subject_key);
  REQUIRE(X509_sign(&certificate, &issuer_key, EVP_sha256()) > 0);
}

/// The good evidence under an authority that writes any bytes for an instance identity.
std::string refusal_with_identity(const base::Bytes& extension) {
  const base::EvpPkeyPtr authority(EVP_EC_gen("P-256"));
  base::X509Ptr root(X509_new());
  const auto* name = reinterpret_cast<const unsigned char*>("authority");
  X509_NAME_add_entry_by_NID(X509_get_subject_name(root.get()), NID_commonName, MBSTRING_UTF8, name, -1, -1, 0);
  const std::unique_ptr<X509_EXTENSION, base::FreeWith<X509_EXTENSION_free>> is_authority(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE"));
  X509_add_ext(root.get(), is_authority.get(), -1);
  sign_certificate(*root, *authority, *authority);

  TpmEvidence evidence = good_evidence();
  const auto usual = base::parse_certificate(evidence.ak_certificate, "certificate");
  const base::X509Ptr leaf(X509_new());
  const std::unique_ptr<ASN1_OBJECT, base::FreeWith<ASN1_OBJECT_free>> oid(
      OBJ_txt2obj(evidence::kInstanceIdentityOid, 1));
  const std::unique_ptr<ASN1_OCTET_STRING, base::FreeWith<ASN1_OCTET_STRING_free>> value(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(value.get(), extension.data(), static_cast<int>(extension.size()));
  const std::unique_ptr<X509_EXTENSION, base::FreeWith<X509_EXTENSION_free>> identity(
      X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), 0, value.get()));
  X509_add_ext(leaf.get(), identity.get(), -1);
  sign_certificate(*leaf, *X509_get0_pubkey(usual.get()), *authority);
  evidence.ak_certificate = base::certificate_der(*leaf);
  std::vector<verifier::TrustAnchor> roots;
  roots.push_back({std::move(root), {test::kSoftwareTpm}});
  try {
    verifier::appraise(evidence, nonce(), verifier::TrustAnchors(roots), base::Clock::system().wall(), Scope::kLaunch);
    return "accepted";
  } catch (const evidence::Refusal& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("the evidence of a real machine is accepted") {
  const auto appraisal = verifier::appraise(good_evidence(), nonce(), real_machine().anchors(),
                                            base::Clock::system().wall(), Scope::kLaunch);
  CHECK(appraisal.identity == test::Machine::identity());
  CHECK(appraisal.secure_boot);
  CHECK(appraisal.hwmodel == test::kSoftwareTpm);
  CHECK(appraisal.launch.value().image_reference == "docker.io/library/nginx:latest");
  CHECK(appraisal.launch.value().env == std::map<std::string, std::string>{{"PATH", "/bin"}});
  const auto& pcrs = std::get<verifier::TpmMachine>(appraisal.machine).pcrs;
  REQUIRE(pcrs.size() == 2);  // the log has no SHA-512 digests, and SHA-1 does not count
  CHECK(pcrs.contains(HashAlgorithm::kSha256));
  CHECK(pcrs.contains(HashAlgorithm::kSha384));
}

TEST_CASE("a machine of Google Cloud is what its firmware says, and refused when that says nothing") {
  CHECK_THROWS_WITH(verifier::appraise(good_evidence(), nonce(), real_machine().anchors({}),
                                       base::Clock::system().wall(), Scope::kLaunch),
                    ContainsSubstring("boot event 2 at byte 197: ") && ContainsSubstring("may hide a GCE NonHostInfo"));
}

TEST_CASE("the entry of the image that a real machine booted matches, and with any other value does not") {
  const auto appraisal = verifier::appraise(good_evidence(), nonce(), real_machine().anchors(),
                                            base::Clock::system().wall(), Scope::kLaunch);
  const auto log = measure::decode_boot_log(test::recorded_boot_log());
  verifier::ReferenceValue value = verifier::reference_value_of(log);
  value.name = "recorded";
  value.kernel_command_line = "console=ttyS0 quiet loglevel=1 panic=-1 confidential-space.hardened=true";
  value.packages = "packages.json";
  value.events.clear();  // which must make the registers
  const auto matches = [&](const base::Json& image) {
    const base::Json document = {{"images", {image}}};
    return verifier::ReferenceValues::parse(document.dump(), "values").find(appraisal.machine, {}) != nullptr;
  };
  const base::Json recorded = value.to_json();
  REQUIRE(matches(recorded));
  const auto other_digest = [](base::Json& digest) {
    std::string text = digest.get<std::string>();
    text.back() = text.back() == '0' ? '1' : '0';
    digest = text;
  };
  for (const auto& [pcr, digest] : recorded.at("pcrs").at("sha256").items()) {
    base::Json image = recorded;
    other_digest(image["pcrs"]["sha256"][pcr]);
    INFO("PCR " << pcr);
    CHECK_FALSE(matches(image));
  }
  for (const char* key : {"secure_boot_certificate_sha256", "unified_kernel_image_authenticode_sha256"}) {
    base::Json image = recorded;
    other_digest(image.at(key));
    INFO(key);
    CHECK_FALSE(matches(image));
  }
  for (const std::string command_line : {"", "quiet", "confidential-space.hardened=true"}) {
    base::Json image = recorded;
    image["kernel_command_line"] = command_line;
    CHECK_FALSE(matches(image));
  }
  SECTION("a root hash that is not on the machine's command line") {
    base::Json image = recorded;
    const std::string hash(64, 'a');
    image["kernel_command_line"] = value.kernel_command_line.value() + " roothash=" + hash;
    image["verity_root_hash"] = hash;
    CHECK_FALSE(matches(image));
  }
  SECTION("no Secure Boot") {
    base::Json image = recorded;
    image["secure_boot"] = false;
    image.erase("secure_boot_certificate_sha256");
    CHECK_FALSE(matches(image));
  }
  SECTION("what an image build knows without a boot is enough") {
    base::Json image = recorded;
    image["pcrs"]["sha256"] = {{"12", std::string(64, '0')}};
    CHECK(matches(image));
  }
}

TEST_CASE("a quote that a TPM did not make is refused") {
  CHECK_THAT(refusal_of([](TpmEvidence& e) { quote_of(e, HashAlgorithm::kSha256).attest[0] ^= 1U; }),
             ContainsSubstring("quote of bank sha256: quote signature"));
  CHECK_THAT(refusal_of([](TpmEvidence& e) { quote_of(e, HashAlgorithm::kSha512).signature.back() ^= 1U; }),
             ContainsSubstring("quote of bank sha512: quote signature"));
}

TEST_CASE("an attestation with another magic is refused even when the attestation key signed it") {
  // Only a key that is not restricted signs this; what it would pass for is a TPM's own statement.
  const base::EvpPkeyPtr key(EVP_EC_gen("P-256"));
  TpmEvidence evidence = good_evidence();
  Quote& quote = quote_of(evidence, HashAlgorithm::kSha256);
  quote.attest[0] = 0;
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  base::Bytes der(80);
  std::size_t size = der.size();
  REQUIRE(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
  REQUIRE(EVP_DigestSign(context.get(), der.data(), &size, quote.attest.data(), quote.attest.size()) == 1);
  const unsigned char* cursor = der.data();
  const std::unique_ptr<ECDSA_SIG, base::FreeWith<ECDSA_SIG_free>> pair(
      d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size)));
  quote.signature = {0x00, 0x18, 0x00, 0x0b};
  for (const BIGNUM* number : {ECDSA_SIG_get0_r(pair.get()), ECDSA_SIG_get0_s(pair.get())}) {
    base::Bytes bytes(32);
    BN_bn2binpad(number, bytes.data(), 32);
    base::append(quote.signature, base::Bytes{0x00, 0x20});
    base::append(quote.signature, bytes);
  }
  evidence.quotes = {quote};
  evidence.ak_certificate = base::certificate_der(
      *real_machine().authority().certify(*key, test::Machine::identity(), test::Machine::validity()));
  CHECK_THAT(refusal_of(evidence), ContainsSubstring("quote of bank sha256") && ContainsSubstring("magic"));
}

TEST_CASE("attestations of other types by the true key are refused") {
  const auto make = GENERATE(&test::certify, &test::nv_certify);
  const auto blob = real_machine().with_tcti([&](const std::string& tcti) { return make(tcti, nonce()); });
  CHECK_THAT(refusal_of([&](TpmEvidence& e) {
               quote_of(e, HashAlgorithm::kSha256).attest = blob.attest;
               quote_of(e, HashAlgorithm::kSha256).signature = blob.signature;
             }),
             ContainsSubstring("quote of bank sha256") && ContainsSubstring("another type"));
}

TEST_CASE("a quote of too few PCRs, or of others than stated, is refused") {
  const auto replace = [](Quote quote) {
    return refusal_of([&](TpmEvidence& e) { quote_of(e, HashAlgorithm::kSha256) = std::move(quote); });
  };
  SECTION("none") {
    CHECK_THAT(replace(quote_over(HashAlgorithm::kSha256, {}, nonce())), ContainsSubstring("quote of bank sha256"));
  }
  SECTION("without the launch's") {
    CHECK_THAT(replace(quote_over(HashAlgorithm::kSha256, range(0, 13), nonce())),
               ContainsSubstring("does not cover PCR 13"));
  }
  SECTION("without one of the firmware's") {
    CHECK_THAT(replace(quote_over(HashAlgorithm::kSha256, range(1, 24), nonce())),
               ContainsSubstring("does not cover PCR 0"));
  }
  SECTION("without one that only the log names") {
    auto pcrs = range(0, 24);
    std::erase(pcrs, 11U);
    CHECK_THAT(replace(quote_over(HashAlgorithm::kSha256, pcrs, nonce())), ContainsSubstring("does not cover PCR 11"));
  }
  SECTION("one value fewer than quoted") {
    CHECK_THAT(refusal_of([](TpmEvidence& e) { quote_of(e, HashAlgorithm::kSha256).pcr_values.erase(23); }),
               ContainsSubstring("selects other PCRs"));
  }
  SECTION("one value more than quoted") {
    Quote quote = quote_over(HashAlgorithm::kSha256, range(0, 16), nonce());
    quote.pcr_values.emplace(16, base::Bytes(32, 0));
    CHECK_THAT(replace(quote), ContainsSubstring("selects other PCRs"));
  }
  SECTION("another value than quoted") {
    CHECK_THAT(refusal_of([](TpmEvidence& e) { quote_of(e, HashAlgorithm::kSha256).pcr_values.at(13)[0] ^= 1U; }),
               ContainsSubstring("PCR digest"));
  }
  SECTION("exactly what is needed") {
    auto pcrs = range(0, 10);
    pcrs.insert(pcrs.end(), {11, 13});
    CHECK(replace(quote_over(HashAlgorithm::kSha256, pcrs, nonce())) == "accepted");
  }
}

TEST_CASE("a quote of another bank than stated, twice the same bank, or no quote at all is refused") {
  CHECK_THAT(refusal_of([](TpmEvidence& e) {
               std::erase_if(e.quotes, [](const Quote& q) { return q.bank == HashAlgorithm::kSha384; });
               quote_of(e, HashAlgorithm::kSha256).bank = HashAlgorithm::kSha384;
             }),
             ContainsSubstring("quote of bank sha384") && ContainsSubstring("another PCR bank"));
  CHECK_THAT(refusal_of([](TpmEvidence& e) { e.quotes.push_back(quote_of(e, HashAlgorithm::kSha256)); }),
             ContainsSubstring("quote of bank sha256: quote: stands twice"));
  CHECK_THAT(refusal_of([](TpmEvidence& e) { e.quotes.clear(); }), ContainsSubstring("no quote"));
}

TEST_CASE("without the bank that firmware measures into, others prove nothing") {
  CHECK_THAT(refusal_of([](TpmEvidence& e) {
               std::erase_if(e.quotes, [](const Quote& q) { return q.bank != HashAlgorithm::kSha1; });
             }),
             ContainsSubstring("holds no quote of the sha256 bank"));
  CHECK_THAT(refusal_of([](TpmEvidence& e) {  // SHA-512 is quoted, but the boot log does not speak of it
               std::erase_if(e.quotes, [](const Quote& q) {
                 return q.bank != HashAlgorithm::kSha1 && q.bank != HashAlgorithm::kSha512;
               });
             }),
             ContainsSubstring("holds no quote of the sha256 bank"));
  CHECK(refusal_of([](TpmEvidence& e) {
          std::erase_if(e.quotes, [](const Quote& q) { return q.bank != HashAlgorithm::kSha256; });
        }) == "accepted");
}

TEST_CASE("a quote for another nonce is refused") {
  CHECK_THAT(refusal_of(good_evidence(), base::random_bytes(32)), ContainsSubstring("challenge's nonce"));
  CHECK_THAT(refusal_of(good_evidence(), base::Bytes{}), ContainsSubstring("challenge's nonce"));
  CHECK_THAT(refusal_of([](TpmEvidence& e) {  // one of several banks replayed from an earlier challenge
               quote_of(e, HashAlgorithm::kSha512) =
                   quote_over(HashAlgorithm::kSha512, range(0, 24), base::Bytes(32, 1));
             }),
             ContainsSubstring("quote of bank sha512") && ContainsSubstring("challenge's nonce"));
}

TEST_CASE("a key that is not restricted is refused even with a certificate") {
  base::Bytes area = vtpm::attestation_key_template(vtpm::KeyKind::kEcc);
  area[5] = 0x04;  // attributes 0x00040072: not restricted
  const auto key = real_machine().tpm().create_endorsement_primary(area);
  const auto public_key = vtpm::public_key_of(key.public_area());
  TpmEvidence evidence = good_evidence();
  evidence.ak_certificate = base::certificate_der(
      *real_machine().authority().certify(*public_key, test::Machine::identity(), test::Machine::validity()));
  for (Quote& quote : evidence.quotes) {
    const auto blob = real_machine().tpm().quote(key, nonce(), {quote.bank, range(0, 24)});
    quote.attest = blob.attest;
    quote.signature = blob.signature;
  }
  CHECK_THAT(refusal_of(evidence), ContainsSubstring("not a restricted attestation key"));
}

TEST_CASE("evidence without logs is refused (Q 16)") {
  CHECK_THAT(refusal_of([](TpmEvidence& e) { e.launch_log.clear(); }), ContainsSubstring("launch event log: is empty"));
  CHECK_THAT(refusal_of([](TpmEvidence& e) { e.boot_log.clear(); }), ContainsSubstring("boot event log: is empty"));
  CHECK_THAT(refusal_of([](TpmEvidence& e) {  // the Spec ID event alone: nothing that was measured
               e.boot_log.resize(32 + e.boot_log[28]);
             }),
             ContainsSubstring("boot event log: is empty"));
}

TEST_CASE("a boot log that does not replay is refused") {
  CHECK_THAT(refusal_of([](TpmEvidence& e) { e.boot_log.push_back(0); }), ContainsSubstring("boot event log"));
  TpmEvidence cut = good_evidence();
  // Without its last event, which is one of PCR 5: 12 bytes, three digests, 4 bytes and the text.
  cut.boot_log.resize(cut.boot_log.size() - (12 + 3 * 2 + 20 + 32 + 48 + 4 + 40));
  CHECK_THAT(refusal_of(cut), ContainsSubstring("quote of bank") && ContainsSubstring("does not replay to PCR 5"));
}

TEST_CASE("a boot log from which all events of a register were taken is refused") {
  TpmEvidence evidence = good_evidence();
  // Two events of PCR 9 with 34 and 21 bytes of data stand before two of PCR 5 with 29 and 40.
  constexpr std::ptrdiff_t kFixed = 12 + 3 * 2 + 20 + 32 + 48 + 4;
  const auto end = evidence.boot_log.end() - (2 * kFixed + 29 + 40);
  evidence.boot_log.erase(end - (2 * kFixed + 34 + 21), end);
  CHECK_THAT(refusal_of(evidence), ContainsSubstring("boot event log: does not explain PCR 9"));
}

TEST_CASE("a launch log that does not replay is refused") {
  auto events = test::launch_events();
  events.push_back(measure::Event::separator());
  CHECK(refusal_of([&](TpmEvidence& e) { e.launch_log = forged_log(events); }) == "accepted");
  SECTION("another image") {
    events[0] = measure::Event::text(measure::EventType::kImageRef, "docker.io/library/other:latest");
    CHECK_THAT(refusal_of([&](TpmEvidence& e) { e.launch_log = forged_log(events); }),
               ContainsSubstring("launch event log: does not replay to PCR 13"));
  }
  SECTION("the order changed") {
    std::swap(events[0], events[1]);
    CHECK_THAT(refusal_of([&](TpmEvidence& e) { e.launch_log = forged_log(events); }),
               ContainsSubstring("does not replay"));
  }
  SECTION("an event's type changed, digests kept") {
    TpmEvidence evidence = good_evidence();
    auto records = measure::decode_cel(evidence.launch_log);
    records[4].content[5] = static_cast<std::uint8_t>(measure::EventType::kOverrideArg);
    evidence.launch_log.clear();
    for (const auto& record : records) base::append(evidence.launch_log, measure::encode_record(record));
    CHECK_THAT(refusal_of(evidence), ContainsSubstring("digest is not that of its content"));
  }
  SECTION("no separator") {
    events.pop_back();
    CHECK_THAT(refusal_of([&](TpmEvidence& e) { e.launch_log = forged_log(events); }),
               ContainsSubstring("LaunchSeparator"));
  }
}

TEST_CASE("a launch log must replay in every quoted bank") {
  TpmEvidence evidence = good_evidence();
  auto records = measure::decode_cel(evidence.launch_log);
  evidence.launch_log.clear();
  for (auto& record : records) {
    record.digests.erase(HashAlgorithm::kSha512);
    base::append(evidence.launch_log, measure::encode_record(record));
  }
  CHECK_THAT(refusal_of(evidence), ContainsSubstring("quote of bank sha512") && ContainsSubstring("no sha512 digest"));
}

TEST_CASE("a launch log that is malformed is refused") {
  const auto with_log = [](const std::function<void(base::Bytes&)>& change) {
    return refusal_of([&](TpmEvidence& e) { change(e.launch_log); });
  };
  CHECK(with_log([](base::Bytes& log) { log.push_back(0); }) != "accepted");
  CHECK(with_log([](base::Bytes& log) { log.pop_back(); }) != "accepted");
  CHECK(with_log([](base::Bytes& log) { log[1] = log[2] = log[3] = log[4] = 0xff; }) != "accepted");
  CHECK(with_log([](base::Bytes& log) { log[12] = 1; }) != "accepted");    // record number 1 at the start
  CHECK(with_log([](base::Bytes& log) { log[13] = 108; }) != "accepted");  // a CC measurement register
  CHECK(with_log([](base::Bytes& log) { log[18] = 14; }) != "accepted");   // PCR 14
}

TEST_CASE("a certificate whose time has not come or is over is refused by name") {
  const base::WallTime now = base::Clock::system().wall();
  CHECK_THAT(refusal_of([&](TpmEvidence& e) {
               e.ak_certificate = real_machine().certificate(test::Machine::identity(), {now - 48h, now - 24h});
             }),
             ContainsSubstring("AK certificate: certificate has expired"));
  CHECK_THAT(refusal_of([&](TpmEvidence& e) {
               e.ak_certificate = real_machine().certificate(test::Machine::identity(), {now + 24h, now + 48h});
             }),
             ContainsSubstring("AK certificate: certificate is not yet valid"));
}

TEST_CASE("a certificate of another authority or another key is refused") {
  const base::PrivateDirectory directory("cs-test");
  const auto other = vtpm::CertificateAuthority::open(directory.path() / "ca");
  const auto key = attest::load_attestation_key(real_machine().tpm(), tpm::kEccKeyIndices);
  CHECK_THAT(refusal_of([&](TpmEvidence& e) {
               e.ak_certificate = base::certificate_der(*vtpm::certify_attestation_key(
                   other, key.key, test::Machine::identity(), test::Machine::validity()));
               e.ak_chain = {base::certificate_der(other.certificate())};
             }),
             ContainsSubstring("AK certificate"));
  const base::EvpPkeyPtr stranger(EVP_EC_gen("P-256"));
  CHECK_THAT(refusal_of([&](TpmEvidence& e) {
               e.ak_certificate = base::certificate_der(*real_machine().authority().certify(
                   *stranger, test::Machine::identity(), test::Machine::validity()));
             }),
             ContainsSubstring("is not that of the attestation key"));
  CHECK_THAT(refusal_of([](TpmEvidence& e) { e.ak_certificate.clear(); }), ContainsSubstring("AK certificate"));
  CHECK_THAT(refusal_of([](TpmEvidence& e) { e.ak_certificate.push_back(0); }), ContainsSubstring("bytes follow"));
}

TEST_CASE("an instance identity that is malformed is refused") {
  const base::Bytes good = evidence::encode_instance_identity(test::Machine::identity());
  CHECK(refusal_with_identity(good) == "accepted");
  base::Bytes truncated = good;
  truncated.pop_back();
  CHECK_THAT(refusal_with_identity(truncated), ContainsSubstring("instance identity"));
  // SEQUENCE { "z", -1, "p", 2, "i", [0] { SEQUENCE { [1] { TRUE } } } }
  const base::Bytes negative = {0x30, 0x18, 0x0c, 1,   'z',  2, 1,    0xff, 0x0c, 1, 'p', 2, 1,
                                2,    0x0c, 1,    'i', 0xa0, 7, 0x30, 5,    0xa1, 3, 1,   1, 0xff};
  CHECK_THAT(refusal_with_identity(negative), ContainsSubstring("projectNumber") && ContainsSubstring("negative"));
}

TEST_CASE("a certificate that does not name a production machine is refused") {
  auto identity = test::Machine::identity();
  identity.is_production = false;
  CHECK_THAT(refusal_of([&](TpmEvidence& e) {
               e.ak_certificate = real_machine().certificate(identity, test::Machine::validity());
             }),
             ContainsSubstring("production machine"));
}
