#include "launcher/spec/mounts.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.h"
#include "base/exec_limits.h"
#include "base/parse_number.h"
#include "base/text.h"
#include "launcher/spec/lists.h"
#include "measure/event.h"

namespace launcher {
namespace {

using base::Error;

constexpr std::string_view kMount = "tee-mount";
constexpr std::string_view kDevShm = "tee-dev-shm-size-kb";
constexpr std::array<std::string_view, 7> kOptions = {"type", "source", "destination", "size", "uid", "gid", "mode"};
constexpr std::uint32_t kMaxMode = 01777;
/// What a mount there would hide is the kernel's, the machine's or the launcher's.
constexpr std::array<std::string_view, 5> kReserved = {"/proc", "/sys", "/etc/hosts", "/etc/resolv.conf",
                                                       kContainerRuntimeDirectory};

struct Option {
  std::string_view key;
  std::string_view value;
};

Option parse_option(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || !measure::is_env_name(text.substr(0, equals)))
    throw Error("failed to parse mount option: malformed env var, \"" + shown(text) + "\" is no KEY=VALUE");
  const Option option{text.substr(0, equals), text.substr(equals + 1)};
  if (std::ranges::find(kOptions, option.key) == kOptions.end())
    throw Error("found unknown mount option: " + shown(text) + ", expect keys of [" + joined(kOptions) + "]");
  return option;
}

std::uint32_t parse_small(const Option& option, int base, std::uint32_t max) {
  const auto value = base::parse_number(option.value, base);
  if (!value || *value > max)
    throw Error("failed to convert " + std::string(option.key) + " option \"" + shown(option.value) + "\"");
  return static_cast<std::uint32_t>(*value);
}

std::uint64_t parse_size(std::string_view text) {
  const auto value = base::parse_number(text);
  if (!value)
    throw Error("failed to convert size option \"" + shown(text) + "\" to uint64: expect bytes, as a decimal number");
  if (*value == 0) throw Error("failed to convert size option \"0\": the kernel takes it for no limit");
  return *value;
}

std::string parse_destination(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) throw Error("destination contains NUL");
  std::string path = clean_path(text);
  base::check_path(path, "destination");
  const auto covers = [&](std::string_view reserved) { return is_at_or_below(path, reserved); };
  if (path == "/" || path == "/dev" || std::ranges::any_of(kReserved, covers))
    throw Error("nothing can be mounted at destination \"" + shown(path) + "\"");
  if (static_cast<std::size_t>(std::ranges::count(path, '/')) > kMaxMountDepth)
    throw Error("destination \"" + shown(path) + "\" is more than " + std::to_string(kMaxMountDepth) + " folders deep");
  return path;
}

TmpfsMount parse_mount(std::string_view text) {
  TmpfsMount mount;
  std::string_view type;
  std::string_view source;
  std::string_view destination;
  std::vector<std::string_view> seen;
  const std::vector<std::string> options = base::split(text, ',');
  for (const std::string& item : options) {
    const Option option = parse_option(item);
    if (std::ranges::find(seen, option.key) != seen.end())
      throw Error("mount option " + std::string(option.key) + " stands twice");
    seen.push_back(option.key);
    constexpr std::uint32_t kMaxId = std::numeric_limits<std::int32_t>::max();
    if (option.key == "type") type = option.value;
    if (option.key == "source") source = option.value;
    if (option.key == "destination") destination = option.value;
    if (option.key == "size") mount.size_bytes = parse_size(option.value);
    if (option.key == "uid") mount.uid = parse_small(option, 10, kMaxId);
    if (option.key == "gid") mount.gid = parse_small(option, 10, kMaxId);
    if (option.key == "mode") mount.mode = parse_small(option, 8, kMaxMode);
  }
  if (type != "tmpfs")
    throw Error("found unknown or unspecified mount type: [" + shown(text) + "], expect one of types [tmpfs]");
  if (source != "tmpfs") throw Error("received wrong mount source " + shown(source) + ", expected tmpfs");
  if (destination.empty()) throw Error("mount type \"tmpfs\" must have destination specified");
  mount.destination = parse_destination(destination);
  return mount;
}

}  // namespace

std::vector<TmpfsMount> read_tmpfs_mounts(AttributeReader& reader) {
  std::vector<TmpfsMount> mounts;
  for (const std::string& text : base::split(reader.text(kMount), ';')) {
    if (mounts.size() == kMaxTmpfsMounts) {
      reader.problems().add(std::string(kMount) + ": more than " + std::to_string(kMaxTmpfsMounts) + " mounts");
      break;
    }
    reader.problems().collect(kMount, [&] { mounts.push_back(parse_mount(text)); });
  }
  return mounts;
}

std::optional<std::uint64_t> read_dev_shm_kb(AttributeReader& reader) {
  const auto kb = reader.read(kDevShm, [](const std::string& text) { return parse_number_attribute(kDevShm, text); });
  // To the kernel it would mean no limit.
  return kb == 0U ? std::nullopt : kb;
}

void check_memory(const std::vector<TmpfsMount>& mounts, std::optional<std::uint64_t> dev_shm_kb,
                  std::uint64_t available_kb, Problems& problems) {
  const std::string free = " larger than free memory (" + std::to_string(available_kb) + ") kB";
  // Sums that would not fit into 64 bits are too large already.
  std::uint64_t left = available_kb;
  bool is_each_fine = true;
  bool do_all_fit = true;
  const auto take = [&](std::uint64_t kb, const std::string& problem) {
    if (kb > available_kb) {
      problems.add(problem);
      is_each_fine = false;
    } else if (kb > left) {
      do_all_fit = false;
    } else {
      left -= kb;
    }
  };
  if (dev_shm_kb) {
    take(*dev_shm_kb, std::string(kDevShm) + ": failed to validate /dev/shm size: got a /dev/shm size (" +
                          std::to_string(*dev_shm_kb) + ")" + free);
  }
  for (const TmpfsMount& mount : mounts) {
    if (!mount.size_bytes) continue;
    const std::uint64_t kb = *mount.size_bytes / 1024 + (*mount.size_bytes % 1024 == 0 ? 0 : 1);
    take(kb, std::string(kMount) + ": " + shown(mount.destination) + ": got a tmpfs size (" + std::to_string(kb) + ")" +
                 free);
  }
  if (is_each_fine && !do_all_fit) problems.add("tee-mount, tee-dev-shm-size-kb: got sizes that are together" + free);
}

std::string clean_path(std::string_view path) {
  std::vector<std::string> names;
  for (std::string& name : base::split(path, '/')) {
    if (name == ".") continue;
    if (name != "..") {
      names.push_back(std::move(name));
    } else if (!names.empty()) {
      names.pop_back();
    }
  }
  std::string clean;
  for (const std::string& name : names) clean += "/" + name;
  return clean.empty() ? "/" : clean;
}

bool is_at_or_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace launcher
