#include "launcher/host/mount_table.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <system_error>

#include <sys/sysmacros.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace launcher {
namespace {

using base::InvalidInput;

constexpr auto kMountInfo = "/proc/self/mountinfo";
// ID, parent, device, root, mount point and options stand before the optional fields, which a lone "-" ends.
constexpr std::size_t kFieldsBefore = 6;
constexpr std::size_t kFieldsBehind = 3;
// The widths of the kernel's dev_t (linux/kdev_t.h).
constexpr std::uint64_t kMaxMajor = 0xfff;
constexpr std::uint64_t kMaxMinor = 0xfffff;

std::uint64_t number_of(std::string_view text, const std::string& field, std::uint64_t max) {
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number > max) {
    throw InvalidInput(field, "not a number as expected");
  }
  return number;
}

bool is_octal(char digit) { return digit >= '0' && digit <= '7'; }

/// Space, tab, newline, backslash and # are written as \ooo.
std::string unescape(std::string_view text, const std::string& field) {
  constexpr std::size_t kDigits = 3;
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, kDigits);
    if (digits.size() != kDigits || !std::ranges::all_of(digits, is_octal) || digits.front() > '3') {
      throw InvalidInput(field, "a backslash without three octal digits of a byte");
    }
    unsigned value = 0;
    for (const char digit : digits) value = value * 8 + static_cast<unsigned>(digit - '0');
    if (value == 0) throw InvalidInput(field, "contains NUL");
    plain += static_cast<char>(value);
    i += kDigits;
  }
  return plain;
}

std::vector<std::string> options_of(std::string_view text, const std::string& field) {
  std::vector<std::string> options;
  for (const std::string_view part : base::fields_of(text, ',')) options.push_back(unescape(part, field));
  return options;
}

dev_t device_of(std::string_view text, const std::string& field) {
  const auto parts = base::fields_of(text, ':');
  if (parts.size() != 2) throw InvalidInput(field, "expected MAJOR:MINOR");
  return makedev(static_cast<unsigned>(number_of(parts[0], field, kMaxMajor)),
                 static_cast<unsigned>(number_of(parts[1], field, kMaxMinor)));
}

MountEntry parse_line(std::string_view line, const std::string& name) {
  const std::vector<std::string_view> fields = base::fields_of(line, ' ');
  if (fields.size() < kFieldsBefore + 1 + kFieldsBehind) throw InvalidInput(name, "too few fields");
  const auto dash = std::find(fields.begin() + kFieldsBefore, fields.end(), "-");
  if (fields.end() - dash != 1 + kFieldsBehind) throw InvalidInput(name, "expected three fields behind \"-\"");
  MountEntry entry;
  entry.id = number_of(fields[0], name + ".id", UINT32_MAX);
  entry.parent_id = number_of(fields[1], name + ".parent", UINT32_MAX);
  entry.device = device_of(fields[2], name + ".device");
  entry.root = unescape(fields[3], name + ".root");
  entry.mount_point = unescape(fields[4], name + ".mount_point");
  entry.options = options_of(fields[5], name + ".options");
  entry.type = unescape(dash[1], name + ".type");
  entry.source = unescape(dash[2], name + ".source");
  entry.super_options = options_of(dash[3], name + ".super_options");
  if (!entry.mount_point.starts_with('/')) throw InvalidInput(name + ".mount_point", "is not absolute");
  return entry;
}

bool contains(const std::vector<std::string>& options, std::string_view option) {
  return std::ranges::find(options, option) != options.end();
}

}  // namespace

bool MountEntry::has_option(std::string_view option) const { return contains(options, option); }

bool MountEntry::has_super_option(std::string_view option) const { return contains(super_options, option); }

MountTable MountTable::parse(std::string_view text) {
  if (text.size() > kMaxMountTableBytes) throw InvalidInput("mount table", "too long");
  if (!text.empty() && !text.ends_with('\n')) throw InvalidInput("mount table", "the last line is cut off");
  MountTable table;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string name = "mount table[" + std::to_string(table.entries_.size()) + "]";
    table.entries_.push_back(parse_line(text.substr(0, end), name));
    text.remove_prefix(end + 1);
  }
  return table;
}

MountTable MountTable::of_this_process() { return parse(base::read_text_file(kMountInfo, kMaxMountTableBytes)); }

std::optional<MountEntry> MountTable::last_mount_at(const std::filesystem::path& mount_point) {
  std::ifstream lines(kMountInfo);
  std::optional<MountEntry> found;
  std::string line;
  constexpr std::size_t kMountPoint = 4;
  while (std::getline(lines, line)) {
    const std::vector<std::string_view> fields = base::fields_of(line, ' ');
    if (fields.size() <= kMountPoint || unescape(fields[kMountPoint], kMountInfo) != mount_point.native()) continue;
    found = parse_line(line, kMountInfo);
  }
  if (!lines.eof()) throw base::SystemError(std::string("reading ") + kMountInfo, errno);
  return found;
}

const MountEntry* MountTable::root() const {
  const auto is_root = [this](const MountEntry& entry) {
    if (entry.mount_point != "/") return false;
    return entry.parent_id == entry.id ||
           std::ranges::find(entries_, entry.parent_id, &MountEntry::id) == entries_.end();
  };
  const auto found = std::ranges::find_if(entries_, is_root);
  return found == entries_.end() ? nullptr : &*found;
}

const MountEntry* MountTable::top_of(const MountEntry* below, const std::string& mount_point) const {
  // A table that contradicts itself can't hold this up: no mount is climbed twice.
  for (std::size_t climbed = 0; climbed < entries_.size(); ++climbed) {
    const auto is_on_it = [&](const MountEntry& entry) {
      return entry.parent_id == below->id && entry.mount_point == mount_point && &entry != below;
    };
    const auto found = std::find_if(entries_.rbegin(), entries_.rend(), is_on_it);
    if (found == entries_.rend()) break;
    below = &*found;
  }
  return below;
}

const MountEntry* MountTable::mount_of(const std::filesystem::path& path) const {
  const MountEntry* mount = root();
  if (mount == nullptr) return nullptr;
  std::filesystem::path walked;
  for (const std::filesystem::path& part : path) {
    if (part.empty()) continue;  // behind a slash at the end
    walked /= part;
    mount = top_of(mount, walked.string());
  }
  return mount;
}

}  // namespace launcher
