#include "tpm/tpm.h"

#include <atomic>
#include <memory>

#include <tss2/tss2_tctildr.h>

#include "base/encoding.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/faulty_tpm.h"
#include "tests/unit/support/swtpm.h"

using base::Bytes;
using measure::Digest;
using measure::HashAlgorithm;
using test::FaultyTpm;
using tpm::PcrBank;
using tpm::Tpm;
using tpm::TpmError;

namespace {

// TPM_CC and TPM_RC of TPM 2.0 part 2, sections 6.5.2 and 6.6.3.
constexpr std::uint32_t kPcrExtend = 0x182;
constexpr std::uint32_t kGetCapability = 0x17a;
constexpr std::uint32_t kCapPcrs = 5;  // TPM_CAP, section 6.12
constexpr std::uint32_t kCapProperties = 6;
constexpr std::uint32_t kRetry = 0x922;
constexpr std::uint32_t kYielded = 0x908;
constexpr std::uint32_t kLockout = 0x921;
constexpr std::uint32_t kFailure = 0x101;

const Bytes kEccTemplate = base::hex_decode(
    "0023000b00050072000000100018000b000300100020" + std::string(64, '0') + "0020" + std::string(64, '0'), "template");

std::string socket_of(const test::Swtpm& swtpm) { return swtpm.tcti().substr(swtpm.tcti().find('=') + 1); }

measure::DigestSet digests_of(std::string_view text, const std::vector<PcrBank>& banks) {
  measure::DigestSet digests;
  for (const PcrBank& bank : banks) digests.insert(Digest::of(bank.algorithm, base::view_of(text)));
  return digests;
}

/// A response to TPM2_GetCapability: TPM_CAP, and what stands behind it.
Bytes capability(std::uint32_t which, const Bytes& data) {
  Bytes body = {0};  // no more data
  base::append_u32_be(body, which);
  base::append(body, data);
  Bytes response = {0x80, 0x01};  // TPM_ST_NO_SESSIONS
  base::append_u32_be(response, static_cast<std::uint32_t>(10 + body.size()));
  base::append_u32_be(response, 0);
  base::append(response, body);
  return response;
}

/// What `use(tpm)` says when the TPM answers TPM2_GetCapability with `bytes`.
template <typename Use>
std::string capability_error(const Bytes& bytes, Use use) {
  test::Swtpm swtpm;
  const FaultyTpm faulty(socket_of(swtpm), [&](std::uint32_t code) -> std::unique_ptr<FaultyTpm::Answer> {
    if (code != kGetCapability) return nullptr;
    return std::make_unique<FaultyTpm::Answer>(FaultyTpm::Answer{bytes});
  });
  Tpm tpm = Tpm::open(faulty.tcti());
  try {
    use(tpm);
    return "";
  } catch (const TpmError& error) {
    return error.what();
  }
}

/// What extending a PCR says when the TPM answers that command with `bytes`.
std::string extend_error(Bytes bytes, bool then_silent = false) {
  test::Swtpm swtpm;
  const FaultyTpm faulty(socket_of(swtpm), [&](std::uint32_t code) -> std::unique_ptr<FaultyTpm::Answer> {
    if (code != kPcrExtend) return nullptr;
    return std::make_unique<FaultyTpm::Answer>(FaultyTpm::Answer{bytes, then_silent});
  });
  Tpm tpm = Tpm::open(faulty.tcti());
  try {
    tpm.extend(13, digests_of("x", tpm.pcr_banks()));
    return "";
  } catch (const TpmError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("one extend reaches every bank") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  const auto banks = tpm.pcr_banks();
  REQUIRE(banks.size() == 4);
  CHECK(banks[0].algorithm == HashAlgorithm::kSha1);
  const auto digests = digests_of("event", banks);
  tpm.extend(13, digests);
  for (const PcrBank& bank : banks) {
    CHECK(bank.pcrs.size() == 24);
    const auto values = tpm.read_pcrs(bank.algorithm, bank.pcrs);
    REQUIRE(values.size() == 24);
    const Bytes zero(measure::digest_size(bank.algorithm), 0);
    const Digest start = Digest::zero(bank.algorithm);
    CHECK(values.at(13) == start.extended(digests.at(bank.algorithm)).to_bytes());
    CHECK(values.at(12) == zero);
    CHECK(values.at(17) == Bytes(measure::digest_size(bank.algorithm), 0xff));
  }
}

TEST_CASE("a transport of the caller's own is used, and left to its keeper") {
  test::Swtpm swtpm;
  TSS2_TCTI_CONTEXT* transport = nullptr;
  REQUIRE(Tss2_TctiLdr_Initialize(swtpm.tcti().c_str(), &transport) == TSS2_RC_SUCCESS);
  const std::shared_ptr<void> keeper(nullptr, [&](void*) { Tss2_TctiLdr_Finalize(&transport); });
  for (int i = 0; i < 2; ++i) CHECK(Tpm::over(*transport).pcr_banks().size() == 4);
}

TEST_CASE("NV memory written by the platform is read back, whatever its size") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  CHECK_FALSE(tpm.read_nv(0x01c10003).has_value());
  for (const std::size_t size : {std::size_t{1}, std::size_t{88}, std::size_t{1500}}) {
    Bytes content(size);
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<std::uint8_t>(i * 7);
    tpm.write_platform_nv(0x01c10003, content);
    CHECK(tpm.read_nv(0x01c10003) == content);
  }
}

TEST_CASE("the same template makes the same key, and keys leave room for others when they go") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  const Bytes first = tpm.create_endorsement_primary(kEccTemplate).public_area();
  // swtpm without a resource manager holds three transient objects at most.
  for (int i = 0; i < 8; ++i) CHECK(tpm.create_endorsement_primary(kEccTemplate).public_area() == first);
  CHECK(first.size() == 88);
  CHECK_THROWS_WITH(tpm.create_endorsement_primary(Bytes{0, 1}), ContainsSubstring("key template"));
}

TEST_CASE("lockout parameters are set and read") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  tpm.set_lockout_parameters(32, 7200, 86400);
  const auto state = tpm.lockout_state();
  CHECK(state.max_tries == 32);
  CHECK(state.recovery_seconds == 7200);
  CHECK(state.lockout_recovery_seconds == 86400);
}

TEST_CASE("a TPM that is absent can't be opened, and only a reboot may help") {
  for (const char* tcti : {"device:/dev/no-such-tpm", "swtpm:path=/nonexistent/socket", "nonsense:x"}) {
    CAPTURE(tcti);
    try {
      Tpm::open(tcti);
      FAIL_CHECK("opened");
    } catch (const TpmError& error) {
      CHECK_THAT(error.what(), ContainsSubstring("failed to open TPM device"));
      CHECK(error.action() == base::Action::kReboot);
    }
  }
}

TEST_CASE("RC_RETRY and RC_YIELDED pass, the command is sent again") {
  for (const std::uint32_t code : {kRetry, kYielded}) {
    test::Swtpm swtpm;
    std::atomic<int> refused = 0;
    const FaultyTpm faulty(socket_of(swtpm), [&](std::uint32_t command) -> std::unique_ptr<FaultyTpm::Answer> {
      if (command != kPcrExtend || refused++ >= 2) return nullptr;
      return std::make_unique<FaultyTpm::Answer>(FaultyTpm::Answer{FaultyTpm::response(code)});
    });
    Tpm tpm = Tpm::open(faulty.tcti());
    const auto banks = tpm.pcr_banks();
    tpm.extend(13, digests_of("once", banks));
    CHECK(refused == 3);
    const std::array<std::uint32_t, 1> pcr = {13};
    const Digest expected =
        Digest::zero(HashAlgorithm::kSha256).extended(Digest::of(HashAlgorithm::kSha256, base::view_of("once")));
    CHECK(tpm.read_pcrs(HashAlgorithm::kSha256, pcr).at(13) == expected.to_bytes());
  }
}

TEST_CASE("RC_LOCKOUT, RC_FAILURE and short answers are errors that name the command") {
  CHECK_THAT(extend_error(FaultyTpm::response(kLockout)), ContainsSubstring("TPM2_PCR_Extend: "));
  CHECK_THAT(extend_error(FaultyTpm::response(kFailure)), ContainsSubstring("TPM2_PCR_Extend: "));
  CHECK_THAT(extend_error(FaultyTpm::response(kRetry)), ContainsSubstring("TPM2_PCR_Extend: "));
  CHECK_THAT(extend_error(Bytes{0x80, 0x01, 0x00}), ContainsSubstring("TPM2_PCR_Extend: "));
}

TEST_CASE("a TPM that does not tell its banks, or one twice, is refused") {
  const auto error_of = [](const Bytes& bytes) {
    return capability_error(bytes, [](Tpm& tpm) { (void)tpm.pcr_banks(); });
  };
  CHECK_THAT(error_of(FaultyTpm::response(kFailure)), ContainsSubstring("TPM2_GetCapability(PCRS)"));
  const auto banks = [](std::uint8_t first, std::uint8_t second) {
    return capability(kCapPcrs, {0, 0, 0, 2, 0, first, 3, 0xff, 0xff, 0xff, 0, second, 3, 0xff, 0xff, 0xff});
  };
  CHECK(error_of(banks(0x0b, 0x0c)).empty());
  CHECK(error_of(banks(0x0b, 0x0b)) == "TPM2_GetCapability(PCRS): the TPM lists a bank twice");
}

TEST_CASE("a TPM that answers with another capability than asked for is refused") {
  const Bytes property = {0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0};  // TPM_PT_PERMANENT, 0x200
  CHECK_THAT(capability_error(capability(kCapProperties, property), [](Tpm& tpm) { (void)tpm.pcr_banks(); }),
             ContainsSubstring("TPM2_GetCapability(PCRS)"));
  // A bank that, as the library has it in memory, looks like that property.
  const Bytes bank = {0, 0, 0, 1, 2, 0, 0};
  CHECK_THAT(capability_error(capability(kCapPcrs, bank), [](Tpm& tpm) { (void)tpm.lockout_state(); }),
             ContainsSubstring("property 512 is missing"));
}
