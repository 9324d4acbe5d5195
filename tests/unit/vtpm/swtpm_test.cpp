#include "vtpm/swtpm.h"

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/swtpm.h"
#include "tpm/tpm.h"

namespace {

using measure::HashAlgorithm;

std::vector<HashAlgorithm> banks_of(const test::Swtpm& swtpm) {
  std::vector<HashAlgorithm> banks;
  for (const auto& bank : tpm::Tpm::open(swtpm.tcti()).pcr_banks()) banks.push_back(bank.algorithm);
  return banks;
}

constexpr std::uint32_t kSomePcr[] = {10};

}  // namespace

TEST_CASE("a new software TPM has every bank that swtpm knows") {
  const test::Swtpm swtpm;
  CHECK(banks_of(swtpm) == std::vector(measure::kHashAlgorithms.begin(), measure::kHashAlgorithms.end()));
}

TEST_CASE("a software TPM can be made with chosen banks only") {
  const test::Swtpm swtpm({"sha256", "sha384"});
  CHECK(banks_of(swtpm) == std::vector{HashAlgorithm::kSha256, HashAlgorithm::kSha384});
}

TEST_CASE("a power cycle resets PCRs and keeps NV memory") {
  test::Swtpm swtpm;
  const base::Bytes content = {1, 2, 3};
  {
    tpm::Tpm tpm = tpm::Tpm::open(swtpm.tcti());
    tpm.write_platform_nv(0x01c10003, content);
    tpm.extend(kSomePcr[0], {measure::Digest(HashAlgorithm::kSha256, base::Bytes(32, 7))});
    CHECK(tpm.read_pcrs(HashAlgorithm::kSha256, kSomePcr).at(kSomePcr[0]) != base::Bytes(32, 0));
    tpm.shutdown();
  }
  swtpm.power_cycle();
  const tpm::Tpm tpm = tpm::Tpm::open(swtpm.tcti());
  CHECK(tpm.read_pcrs(HashAlgorithm::kSha256, kSomePcr).at(kSomePcr[0]) == base::Bytes(32, 0));
  CHECK(tpm.read_nv(0x01c10003) == content);
}

TEST_CASE("a state folder that is not private is refused") {
  const base::PrivateDirectory directory("cs-test");
  const auto state = directory.path() / "state";
  std::filesystem::create_directory(state);
  std::filesystem::permissions(state, std::filesystem::perms::all);
  CHECK_THROWS_AS(vtpm::Swtpm(state), base::Error);
}

TEST_CASE("an unknown bank is refused by swtpm_setup") {
  const base::PrivateDirectory directory("cs-test");
  CHECK_THROWS_WITH(vtpm::make_tpm_state(directory.path() / "state", {"md5"}), ContainsSubstring("swtpm_setup"));
}
