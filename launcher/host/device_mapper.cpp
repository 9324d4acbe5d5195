#include "launcher/host/device_mapper.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>

#include "base/ascii.h"
#include "base/error.h"
#include "base/text.h"

namespace launcher {
namespace {

using base::InvalidInput;

constexpr std::size_t kFirstAnswerBytes = std::size_t{16} << 10U;
constexpr std::size_t kMaxOptions = 100;

/// Bytes that may hold a key and are wiped when they go.
class SecretBuffer {
 public:
  explicit SecretBuffer(std::size_t size) : bytes_(size) {}
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  ~SecretBuffer() { ::explicit_bzero(bytes_.data(), bytes_.size()); }

  base::Bytes& bytes() noexcept { return bytes_; }

 private:
  base::Bytes bytes_;
};

/// `... N OPTION{N}`, and nothing behind. Without the number there are no options.
std::vector<std::string> options_behind(const std::vector<std::string_view>& words, std::size_t begin,
                                        std::string_view field) {
  if (words.size() == begin) return {};
  const std::string_view text = words[begin];
  std::size_t count = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (code != std::errc() || end != text.data() + text.size() || count > kMaxOptions ||
      words.size() - begin - 1 != count) {
    throw InvalidInput(field, "the number of options is not that of the words behind it");
  }
  return {words.begin() + static_cast<std::ptrdiff_t>(begin) + 1, words.end()};
}

/// The text of a crypt table without its second word, which is the key or names it.
std::string without_key(std::string_view params) {
  const std::size_t key = std::min(params.find(' '), params.size());
  const std::size_t behind = std::min(params.find(' ', std::min(key + 1, params.size())), params.size());
  return std::string(params.substr(0, key)) + (key == params.size() ? "" : " *") + std::string(params.substr(behind));
}

}  // namespace

std::vector<DmTarget> parse_dm_targets(base::ByteView data, std::uint32_t count) {
  std::vector<DmTarget> targets;
  std::size_t offset = 0;
  for (std::uint32_t number = 0; number < count; ++number) {
    const std::string field = "device-mapper answer[" + std::to_string(number) + "]";
    dm_target_spec spec{};
    if (offset > data.size() || data.size() - offset < sizeof(spec)) throw InvalidInput(field, "cut off");
    std::memcpy(&spec, data.data() + offset, sizeof(spec));
    const std::string_view rest = base::text_of(data.subspan(offset + sizeof(spec)));
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) throw InvalidInput(field, "its text has no end");
    const std::size_t type_end = ::strnlen(spec.target_type, sizeof(spec.target_type));
    DmTarget target{
        .start = spec.sector_start, .length = spec.length, .type = {spec.target_type, type_end}, .params = {}};
    const std::string_view params = rest.substr(0, end);
    target.params = target.type == "crypt" ? without_key(params) : std::string(params);
    targets.push_back(std::move(target));
    // Of answers `next` counts from the first of them (dm-ioctl.h), and has to lead on.
    if (number + 1 < count && spec.next < offset + sizeof(spec) + end + 1)
      throw InvalidInput(field, "overlaps the next");
    offset = spec.next;
  }
  return targets;
}

DeviceMapper::DeviceMapper(const std::filesystem::path& control)
    : control_(::open(control.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (control_.get() < 0) throw base::SystemError("opening " + control.string(), errno);
}

std::optional<std::vector<DmTarget>> DeviceMapper::table(dev_t device) const {
  // The second flag has the kernel wipe its own copy of the answer.
  return ask(device, DM_STATUS_TABLE_FLAG | DM_SECURE_DATA_FLAG);
}

std::optional<std::vector<DmTarget>> DeviceMapper::status(dev_t device) const { return ask(device, DM_NOFLUSH_FLAG); }

std::optional<std::vector<DmTarget>> DeviceMapper::ask(dev_t device, std::uint32_t flags) const {
  for (std::size_t size = kFirstAnswerBytes; size <= kMaxAnswerBytes; size *= 2) {
    SecretBuffer buffer(size);
    dm_ioctl header{};
    header.version[0] = DM_VERSION_MAJOR;
    header.data_size = static_cast<std::uint32_t>(size);
    header.data_start = sizeof(header);
    header.dev = device;
    header.flags = flags;
    std::memcpy(buffer.bytes().data(), &header, sizeof(header));
    if (::ioctl(control_.get(), DM_TABLE_STATUS, buffer.bytes().data()) != 0) {
      if (errno == ENXIO) return std::nullopt;
      throw base::SystemError("asking the device mapper", errno);
    }
    std::memcpy(&header, buffer.bytes().data(), sizeof(header));
    if ((header.flags & DM_BUFFER_FULL_FLAG) != 0) continue;
    if (header.data_start > size) throw InvalidInput("device-mapper answer", "its header does not fit");
    return parse_dm_targets(base::ByteView(buffer.bytes()).subspan(header.data_start), header.target_count);
  }
  throw InvalidInput("device-mapper answer", "longer than " + std::to_string(kMaxAnswerBytes) + " bytes");
}

VerityTable VerityTable::parse(std::string_view params) {
  // version, data device, hash device, two block sizes, number of blocks, start, algorithm, digest, salt
  constexpr std::size_t kFixedWords = 10;
  const auto words = base::words_of(params);
  if (words.size() < kFixedWords) throw InvalidInput("verity table", "too few words");
  if (words[0] != "1") throw InvalidInput("verity table", "a version other than 1");
  if (words[8].size() % 2 != 0 || !std::ranges::all_of(words[8], base::is_lower_hex)) {
    throw InvalidInput("verity table", "the root digest is not hexadecimal");
  }
  return {.data_device = std::string(words[1]),
          .hash_device = std::string(words[2]),
          .algorithm = std::string(words[7]),
          .root_digest = std::string(words[8]),
          .options = options_behind(words, kFixedWords, "verity table")};
}

bool verity_is_intact(std::string_view status) {
  // Newer kernels tell of corrected blocks behind it.
  const auto words = base::words_of(status);
  if (!words.empty() && words[0] == "V") return true;
  if (!words.empty() && words[0] == "C") return false;
  throw InvalidInput("verity status", "neither V nor C");
}

CryptTable CryptTable::parse(std::string_view params) {
  // cipher, key, offset of the IV, device, offset
  constexpr std::size_t kFixedWords = 5;
  const auto words = base::words_of(params);
  if (words.size() < kFixedWords) throw InvalidInput("crypt table", "too few words");
  return {.cipher = std::string(words[0]),
          .device = std::string(words[3]),
          .options = options_behind(words, kFixedWords, "crypt table")};
}

bool CryptTable::has_option(std::string_view option) const {
  return std::ranges::find(options, option) != options.end();
}

}  // namespace launcher
