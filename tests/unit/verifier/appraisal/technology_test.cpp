#include "verifier/appraisal/technology.h"

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/skip.h"
#include "tests/unit/support/boot_log_writer.h"
#include "verifier/appraisal/boot_state.h"

namespace {

using measure::BootEvent;
using measure::BootLog;
using measure::HashAlgorithm;
using test::BootLogWriter;
using test::plain_boot;
using verifier::Technology;
namespace type = measure::boot_event;

std::string non_host_info(char technology) {
  return std::string("GCE NonHostInfo\0", 16) + technology + std::string(15, '\0');
}

Technology technology_of(const BootLog& log) {
  verifier::extract_boot_state(log, HashAlgorithm::kSha256);
  return verifier::extract_technology(log, HashAlgorithm::kSha256);
}

Technology technology_of(const BootLogWriter& writer) { return technology_of(writer.log()); }

/// A boot whose PCR 0 begins with `first`.
BootLogWriter boot_after(BootLogWriter first, const BootLogWriter& rest) {
  for (const auto& event : rest.log().events) first.add(event.pcr, event.type, base::text_of(event.data));
  return first;
}

std::filesystem::path recorded(const std::string& name) {
  return std::filesystem::path(CS_VECTORS) / "boot-eventlogs" / (name + ".bin");
}

std::string verdict_on(const BootLog& log) {
  try {
    return std::string(hardware_model(technology_of(log)));
  } catch (const base::InvalidInput&) {
    return "refused";
  }
}

/// Where each event begins, and where the last ends. The events of these logs have SHA-1, SHA-256 and SHA-384 digests.
std::vector<std::size_t> offsets_of(const BootLog& log) {
  constexpr std::size_t kSha1Event = 32;
  constexpr std::size_t kAgileEvent = 12 + 3 * 2 + 20 + 32 + 48 + 4;
  std::vector<std::size_t> offsets = {0};
  for (const BootEvent& event : log.events) {
    const std::size_t fixed = offsets.size() == 1 ? kSha1Event : kAgileEvent;
    offsets.push_back(offsets.back() + fixed + event.data.size());
  }
  return offsets;
}

/// How many changes of one bit in bytes [begin, end) leave a log that replays to the same SHA-256 PCRs; each of these
/// must bring the same verdict or none.
std::size_t flip_every_bit(const base::Bytes& bytes, std::size_t begin, std::size_t end, const std::string& verdict) {
  const auto pcrs = measure::decode_boot_log(bytes).replay(HashAlgorithm::kSha256);
  std::size_t unseen = 0;
  for (std::size_t bit = begin * 8; bit < end * 8; ++bit) {
    base::Bytes flipped = bytes;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    try {
      const BootLog log = measure::decode_boot_log(flipped);
      if (log.replay(HashAlgorithm::kSha256) != pcrs) continue;
      ++unseen;
      const std::string found = verdict_on(log);
      INFO("byte " << bit / 8 << ", bit " << bit % 8);
      if (found != "refused") REQUIRE(found == verdict);
    } catch (const base::InvalidInput&) {
      continue;
    }
  }
  return unseen;
}

}  // namespace

TEST_CASE("the firmware says which technology protects the machine") {
  const auto said = [](char value) { return technology_of(plain_boot({non_host_info(value)})); };
  CHECK(said(0) == Technology::kNone);
  CHECK(said(1) == Technology::kAmdSev);
  CHECK(said(2) == Technology::kAmdSevEs);
  CHECK(said(3) == Technology::kIntelTdx);
  CHECK_THROWS_WITH(said(4), ContainsSubstring("SEV-SNP"));
  CHECK_THROWS_WITH(said(5), ContainsSubstring("unknown technology"));
  CHECK(hardware_model(Technology::kNone) == "GCP_SHIELDED_VM");
  CHECK(hardware_model(Technology::kAmdSev) == "GCP_AMD_SEV");
  CHECK(hardware_model(Technology::kAmdSevEs) == "GCP_AMD_SEV_ES");
  CHECK(hardware_model(Technology::kIntelTdx) == "GCP_INTEL_TDX");
}

TEST_CASE("a boot that does not say it is no boot of a Google Cloud machine") {
  CHECK_THROWS_WITH(technology_of(plain_boot()), ContainsSubstring("GCE NonHostInfo: is missing"));
  SECTION("behind the separator, where anybody may measure") {
    CHECK_THROWS_WITH(technology_of(plain_boot().add(0, type::kNonhostInfo, non_host_info(1))),
                      ContainsSubstring("is missing"));
    CHECK(technology_of(plain_boot({non_host_info(2)}).add(0, type::kNonhostInfo, non_host_info(1))) ==
          Technology::kAmdSevEs);
  }
  SECTION("in another register") {
    CHECK_THROWS_WITH(
        technology_of(boot_after(BootLogWriter().add(1, type::kNonhostInfo, non_host_info(1)), plain_boot())),
        ContainsSubstring("is missing"));
  }
  SECTION("twice") {
    CHECK_THROWS_WITH(technology_of(plain_boot({non_host_info(0), non_host_info(1)})),
                      ContainsSubstring("stands twice"));
  }
  SECTION("cut off, or too long") {
    CHECK_THROWS_WITH(technology_of(plain_boot({non_host_info(1).substr(0, 17)})), ContainsSubstring("malformed"));
    CHECK_THROWS_WITH(technology_of(plain_boot({non_host_info(1) + '\0'})), ContainsSubstring("malformed"));
  }
}

TEST_CASE("no event of PCR 0 can hide what the firmware said") {
  // Whatever the log calls it: neither type nor text is measured.
  for (const std::uint32_t event_type : {type::kNonhostInfo, type::kScrtmVersion, std::uint32_t{1},
                                         std::uint32_t{0x80000008}, std::uint32_t{0x8000000a}}) {
    CAPTURE(event_type);
    for (const std::string& text : {non_host_info(1), std::string("a blob"), std::string()}) {
      const BootLogWriter hidden = BootLogWriter().add(0, event_type, text, non_host_info(0));
      CHECK_THROWS_WITH(technology_of(boot_after(hidden, plain_boot({non_host_info(1)}))),
                        ContainsSubstring("not measured"));
      CHECK_THROWS_WITH(technology_of(boot_after(hidden, plain_boot())), ContainsSubstring("not measured"));
    }
  }
}

TEST_CASE("no flipped bit of PCR 0 in the logs of Google Cloud machines changes what they are") {
  if (test::skips_without(recorded("cos-93-amd-sev"))) return;
  const auto [name, verdict] = GENERATE(table<std::string, std::string>({
      {"confidential-gke-debug-251000_eventlog", "GCP_SHIELDED_VM"},
      {"cos-85-amd-sev", "GCP_AMD_SEV"},
      {"cos-93-amd-sev", "GCP_AMD_SEV"},
      {"eventlogwithsp800155", "GCP_SHIELDED_VM"},
      {"ubuntu-1804-amd-sev", "GCP_AMD_SEV"},
  }));
  CAPTURE(name);
  const base::Bytes bytes = base::read_file(recorded(name), measure::kMaxBootLogBytes);
  const BootLog log = measure::decode_boot_log(bytes);
  REQUIRE(verdict_on(log) == verdict);
  const std::vector<std::size_t> offsets = offsets_of(log);
  REQUIRE(offsets.back() == bytes.size());
  std::size_t unseen = 0;
  for (std::size_t i = 0; i < log.events.size(); ++i) {
    if (log.events[i].pcr == 0) unseen += flip_every_bit(bytes, offsets[i], offsets[i + 1], verdict);
  }
  CHECK(unseen > 1000);  // bits of types, texts and other banks' digests, which SHA-256 PCRs do not hold
}

TEST_CASE("a log of SHA-1 alone says nothing") {
  if (test::skips_without(recorded("debian-10"))) return;
  const BootLog log = measure::decode_boot_log(base::read_file(recorded("debian-10"), measure::kMaxBootLogBytes));
  CHECK(verdict_on(log) == "refused");
}
