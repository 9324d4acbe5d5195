#include "measure/launch_log.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"

namespace measure {
namespace {

std::string name_of_bank(const Register& target, const Digest& value) {
  return target.name() + " of bank " + std::string(name_of(value.algorithm()));
}

}  // namespace

LaunchLog::LaunchLog(const Register& target, DigestSet value)
    : kind_(target.kind()), index_(target.index()), expected_(std::move(value)) {}

LaunchLog LaunchLog::start(Register& target) {
  DigestSet banks = target.read();
  for (const Digest& value : banks) {
    if (value == Digest::zero(value.algorithm())) continue;
    throw base::Error(name_of_bank(target, value) + " is not zero but " + base::hex_encode(value.bytes()) +
                      ": something was measured into it since the machine started");
  }
  const bool only_sha1 =
      std::ranges::all_of(banks, [](const Digest& d) { return d.algorithm() == HashAlgorithm::kSha1; });
  if (only_sha1) {
    throw base::Error("there is " + target.name() +
                      " in no bank of SHA-256, SHA-384 or SHA-512; SHA-1 alone proves nothing");
  }
  return {target, std::move(banks)};
}

CelRecord LaunchLog::record_of(std::uint64_t number, const Event& event) const {
  CelRecord record{.number = number,
                   .register_kind = kind_,
                   .register_index = index_,
                   .digests = {},
                   .content = encode_content(event)};
  for (const Digest& bank : expected_) record.digests.insert(Digest::of(bank.algorithm(), record.content));
  return record;
}

std::size_t LaunchLog::size_with(std::span<const Event> events) const {
  std::size_t size = bytes_.size() + encode_record(record_of(0, Event::separator())).size();
  for (const Event& event : events) size += encode_record(record_of(0, event)).size();
  return size;
}

void LaunchLog::measure(Register& target, const Event& event) {
  if (sealed_) throw base::Error("the event log is sealed: nothing may be measured behind the separator");
  const CelRecord record = record_of(next_number_, event);
  target.extend(record.digests);
  base::append(bytes_, encode_record(record));
  DigestSet values;
  for (const Digest& value : expected_) values.insert(value.extended(record.digests.at(value.algorithm())));
  expected_ = std::move(values);
  ++next_number_;
}

void LaunchLog::seal(Register& target) {
  measure(target, Event::separator());
  sealed_ = true;
  // From the bytes that will be sent, not from what was kept while writing them.
  const std::vector<CelRecord> records = decode_cel(bytes_);
  const DigestSet held = target.read();
  for (const Digest& expected : expected_) {
    const Digest& found = held.at(expected.algorithm());
    if (found != replay_cel(records, expected.algorithm()) || found != expected) {
      throw base::Error(name_of_bank(target, expected) + " is " + base::hex_encode(found.bytes()) +
                        ", but the event log replays to " + base::hex_encode(expected.bytes()) +
                        ": somebody else has extended it");
    }
  }
}

}  // namespace measure
