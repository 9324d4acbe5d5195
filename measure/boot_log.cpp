#include "measure/boot_log.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace measure {
namespace {

using base::ByteReader;
using base::Bytes;
using base::ByteView;
using base::InvalidInput;

constexpr std::string_view kSubject = "boot event log";
constexpr std::string_view kSpecIdSignature("Spec ID Event03\0", 16);
constexpr std::string_view kStartupLocalitySignature("StartupLocality\0", 16);
constexpr std::string_view kEvent = "event";
constexpr std::uint8_t kHcrtmLocality = 4;
constexpr std::uint32_t kMaxAlgorithms = 16;

struct AlgorithmSize {
  std::uint16_t id;
  std::uint16_t size;
};

bool starts_with(ByteView bytes, std::string_view prefix) { return base::text_of(bytes).starts_with(prefix); }

/// TCG_EfiSpecIdEvent: which algorithms each later event has digests of, and how long they are.
std::vector<AlgorithmSize> decode_spec_id(ByteView data) {
  ByteReader reader(data, "Spec ID event");
  reader.take(kSpecIdSignature.size(), "signature");
  reader.u32_le("platform class");
  const std::uint8_t minor = reader.u8("minor version");
  const std::uint8_t major = reader.u8("major version");
  if (major != 2 || minor != 0) {
    throw InvalidInput("Spec ID event", "is of version " + std::to_string(major) + "." + std::to_string(minor));
  }
  reader.take(2, "errata and size of UINTN");
  const std::uint32_t count = reader.u32_le("number of algorithms");
  if (count == 0 || count > kMaxAlgorithms) {
    throw InvalidInput("Spec ID event", "names " + std::to_string(count) + " algorithms");
  }
  std::vector<AlgorithmSize> sizes;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint16_t id = reader.u16_le("algorithm");
    const std::uint16_t size = reader.u16_le("digest size");
    const auto known = hash_algorithm_of(id);
    if (size == 0 || size > kMaxDigestSize || (known && digest_size(*known) != size)) {
      throw InvalidInput("Spec ID event",
                         "gives algorithm " + std::to_string(id) + " digests of " + std::to_string(size) + " bytes");
    }
    sizes.push_back({id, size});
  }
  const std::uint8_t vendor_info = reader.u8("vendor info size");
  reader.take(vendor_info, "vendor info");
  reader.expect_end();
  return sizes;
}

/// Whether a type is one of the profile's (sections 10.4.1 and 10.4.2).
bool is_known_type(std::uint32_t type) {
  constexpr std::uint32_t kLastPostType = 0x12;
  constexpr std::uint32_t kEfiTypes = 0x80000000;
  constexpr std::uint32_t kLastEfiType = kEfiTypes + 0xff;
  return (type > 0 && type <= kLastPostType) || (type > kEfiTypes && type <= kLastEfiType);
}

/// Reads a log event by event. An event's number is its place, from 0: the Spec ID event, where there is one.
class BootLogReader {
 public:
  explicit BootLogReader(ByteView log) : reader_(log, kEvent) {}

  BootLog read() && {
    while (!reader_.empty()) read_event();
    log_.startup_locality = stated_locality_.value_or(has_hcrtm_event_ ? kHcrtmLocality : std::uint8_t{0});
    return std::move(log_);
  }

 private:
  void read_event() {
    BootEvent place;
    place.number = log_.events.size();
    place.offset = reader_.offset();
    try {
      if (place.number == kMaxBootEvents) throw InvalidInput(kEvent, "has too many before it");
      BootEvent event = place.number == 0 ? first_event() : next_event();
      event.number = place.number;
      event.offset = place.offset;
      log_.events.push_back(std::move(event));
    } catch (const InvalidInput& error) {
      const std::string subject(kSubject);
      throw InvalidInput(is_any_log_ ? subject : subject + ": is no TCG event log", place.name() + ": " + error.what());
    }
  }

  /// A header, or the first of a log with SHA-1 digests alone.
  BootEvent first_event() {
    BootEvent event = sha1_event();
    if (!is_known_type(event.type))
      throw InvalidInput(kEvent, "type " + std::to_string(event.type) + " does not exist");
    is_any_log_ = true;
    if (event.type == boot_event::kNoAction && starts_with(event.data, kSpecIdSignature)) {
      agile_ = decode_spec_id(event.data);
    }
    note(event);
    return event;
  }

  BootEvent next_event() {
    BootEvent event = agile_ ? agile_event(*agile_) : sha1_event();
    note(event);
    return event;
  }

  /// How PCR 0 began.
  void note(const BootEvent& event) {
    if (event.pcr != 0) return;
    if (event.type == boot_event::kEfiHcrtmEvent) has_hcrtm_event_ = true;
    if (event.type != boot_event::kNoAction || !starts_with(event.data, kStartupLocalitySignature)) return;
    if (event.data.size() != kStartupLocalitySignature.size() + 1) {
      throw InvalidInput(kEvent, "StartupLocality is not 17 bytes");
    }
    stated_locality_ = event.data.back();
  }

  /// The register and the type. An event that was not measured may be of no register: firmware writes 0xffffffff.
  BootEvent head() {
    BootEvent event;
    event.pcr = reader_.u32_le("PCR index");
    event.type = reader_.u32_le("event type");
    if (event.pcr > kMaxPcr && event.type != boot_event::kNoAction) {
      throw InvalidInput(kEvent, "PCR " + std::to_string(event.pcr) + " does not exist");
    }
    return event;
  }

  Bytes data() {
    const std::uint32_t size = reader_.u32_le("event size");
    const ByteView data = reader_.take(size, "event data");
    return {data.begin(), data.end()};
  }

  /// TCG_PCClientPCREvent, the form with one SHA-1 digest.
  BootEvent sha1_event() {
    BootEvent event = head();
    const ByteView digest = reader_.take(digest_size(HashAlgorithm::kSha1), "digest");
    event.digests.insert(Digest(HashAlgorithm::kSha1, digest));
    event.data = data();
    return event;
  }

  /// TCG_PCR_EVENT2.
  BootEvent agile_event(const std::vector<AlgorithmSize>& sizes) {
    BootEvent event = head();
    const std::uint32_t count = reader_.u32_le("number of digests");
    if (count > sizes.size()) throw InvalidInput(kEvent, "has " + std::to_string(count) + " digests");
    std::vector<std::uint16_t> seen;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint16_t id = reader_.u16_le("digest algorithm");
      const auto size = std::ranges::find(sizes, id, &AlgorithmSize::id);
      if (size == sizes.end()) {
        throw InvalidInput(kEvent, "digest algorithm " + std::to_string(id) + " was not announced");
      }
      if (std::ranges::find(seen, id) != seen.end()) throw InvalidInput(kEvent, "has two digests of one algorithm");
      seen.push_back(id);
      const ByteView digest = reader_.take(size->size, "digest");
      if (const auto known = hash_algorithm_of(id)) event.digests.insert(Digest(*known, digest));
    }
    event.data = data();
    return event;
  }

  ByteReader reader_;
  BootLog log_;
  std::optional<std::vector<AlgorithmSize>> agile_;
  std::optional<std::uint8_t> stated_locality_;
  bool has_hcrtm_event_ = false;
  bool is_any_log_ = false;
};

/// What PCR 0 begins with.
Digest started_at(std::uint8_t locality, HashAlgorithm algorithm) {
  Bytes value(digest_size(algorithm), 0);
  value.back() = locality;
  return {algorithm, value};
}

}  // namespace

std::string BootEvent::name() const {
  return "boot event " + std::to_string(number) + " at byte " + std::to_string(offset);
}

bool BootEvent::data_is_measured(HashAlgorithm bank) const {
  const Digest* digest = digests.find(bank);
  return digest != nullptr && *digest == Digest::of(bank, data);
}

BootLog decode_boot_log(ByteView log) {
  if (log.size() > kMaxBootLogBytes) throw InvalidInput(kSubject, "is too long");
  return BootLogReader(log).read();
}

PcrValues BootLog::replay(HashAlgorithm algorithm) const {
  std::map<std::uint32_t, Digest> registers;
  for (const BootEvent& event : events) {
    if (event.type == boot_event::kNoAction) continue;
    const Digest* digest = event.digests.find(algorithm);
    if (digest == nullptr) throw InvalidInput(event.name(), "has no " + std::string(name_of(algorithm)) + " digest");
    const Digest start = event.pcr == 0 ? started_at(startup_locality, algorithm) : Digest::zero(algorithm);
    Digest& value = registers.try_emplace(event.pcr, start).first->second;
    value = value.extended(*digest);
  }
  PcrValues values;
  for (const auto& [pcr, value] : registers) values.emplace(pcr, value.to_bytes());
  return values;
}

}  // namespace measure
