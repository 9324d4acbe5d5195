#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "measure/cel.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView log(data, size);
  try {
    const auto records = measure::decode_cel(log);
    base::Bytes again;
    for (const measure::CelRecord& record : records) {
      const base::Bytes bytes = measure::encode_record(record);
      again.insert(again.end(), bytes.begin(), bytes.end());
      try {
        // What reads as one event has one encoding only.
        if (measure::encode_content(measure::event_of(record)) != record.content) std::abort();
        measure::check_digests(record);
      } catch (const base::InvalidInput&) {
      }
    }
    // A record lists its digests in any order, but nothing of it can be added or left out.
    if (again.size() != size) std::abort();
    for (const measure::HashAlgorithm algorithm : measure::kHashAlgorithms) {
      try {
        measure::replay_cel(records, algorithm);
      } catch (const base::InvalidInput&) {
      }
    }
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
