#pragma once

#include <cstdint>
#include <vector>

#include "measure/cel.h"
#include "measure/event.h"
#include "measure/hash.h"

namespace test {

/// Of an event in PCR 13, with digests that are right.
inline measure::CelRecord record_of(std::uint64_t number, const measure::Event& event,
                                    const std::vector<measure::HashAlgorithm>& banks) {
  measure::CelRecord record{.number = number,
                            .register_kind = measure::RegisterKind::kPcr,
                            .register_index = measure::kLaunchPcr,
                            .digests = {},
                            .content = measure::encode_content(event)};
  for (const measure::HashAlgorithm bank : banks) record.digests.insert(measure::Digest::of(bank, record.content));
  return record;
}

inline std::vector<measure::CelRecord> records_of(const std::vector<measure::Event>& events,
                                                  const std::vector<measure::HashAlgorithm>& banks) {
  std::vector<measure::CelRecord> records;
  for (const measure::Event& event : events) records.push_back(record_of(records.size(), event, banks));
  return records;
}

}  // namespace test
