#include "measure/launch_log.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/encoding.h"
#include "base/error.h"

namespace measure {
namespace {

constexpr std::array kOnlyLaunchPcr = {kLaunchPcr};

base::Bytes read_launch_pcr(const Tpm& tpm, HashAlgorithm bank) {
  return tpm.read_pcrs(bank, kOnlyLaunchPcr).at(kLaunchPcr);
}

}  // namespace

LaunchLog LaunchLog::start(Tpm& tpm) {
  LaunchLog log;
  for (const PcrBank& bank : tpm.pcr_banks()) {
    if (std::ranges::find(bank.pcrs, kLaunchPcr) == bank.pcrs.end()) continue;
    base::Bytes zero(digest_size(bank.algorithm), 0);
    const base::Bytes value = read_launch_pcr(tpm, bank.algorithm);
    if (value != zero) {
      throw base::Error("PCR 13 of bank " + std::string(name_of(bank.algorithm)) + " is not zero but " +
                        base::hex_encode(value) + ": something was measured into it since the machine started");
    }
    log.expected_.emplace(bank.algorithm, std::move(zero));
  }
  const bool only_sha1 =
      std::ranges::all_of(log.expected_, [](const auto& bank) { return bank.first == HashAlgorithm::kSha1; });
  if (only_sha1) {
    throw base::Error("the TPM has PCR 13 in no bank of SHA-256, SHA-384 or SHA-512; SHA-1 alone proves nothing");
  }
  return log;
}

CelRecord LaunchLog::record_of(std::uint64_t number, const Event& event) const {
  CelRecord record{.number = number,
                   .register_kind = RegisterKind::kPcr,
                   .register_index = kLaunchPcr,
                   .digests = {},
                   .content = encode_content(event)};
  for (const auto& [algorithm, value] : expected_) record.digests.emplace(algorithm, hash(algorithm, record.content));
  return record;
}

std::size_t LaunchLog::size_with(std::span<const Event> events) const {
  std::size_t size = bytes_.size() + encode_record(record_of(0, Event::separator())).size();
  for (const Event& event : events) size += encode_record(record_of(0, event)).size();
  return size;
}

void LaunchLog::measure(Tpm& tpm, const Event& event) {
  if (sealed_) throw base::Error("the event log is sealed: nothing may be measured behind the separator");
  const CelRecord record = record_of(next_number_, event);
  tpm.extend(kLaunchPcr, record.digests);
  base::append(bytes_, encode_record(record));
  for (auto& [algorithm, value] : expected_) value = extended(algorithm, value, record.digests.at(algorithm));
  ++next_number_;
}

void LaunchLog::seal(Tpm& tpm) {
  measure(tpm, Event::separator());
  sealed_ = true;
  // From the bytes that will be sent, not from what was kept while writing them.
  const std::vector<CelRecord> records = decode_cel(bytes_);
  for (const auto& [algorithm, expected] : expected_) {
    const base::Bytes found = read_launch_pcr(tpm, algorithm);
    if (found != replay_cel(records, algorithm) || found != expected) {
      throw base::Error("PCR 13 of bank " + std::string(name_of(algorithm)) + " is " + base::hex_encode(found) +
                        ", but the event log replays to " + base::hex_encode(expected) +
                        ": somebody else has extended it");
    }
  }
}

}  // namespace measure
