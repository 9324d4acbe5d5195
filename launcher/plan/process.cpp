#include "launcher/plan/process.h"

#include <algorithm>
#include <unordered_map>

#include "base/encoding.h"
#include "base/error.h"
#include "base/exec_limits.h"
#include "measure/event.h"

namespace launcher {
namespace {

using base::InvalidInput;

constexpr std::string_view kHostname = "HOSTNAME";
/// Of containerd (oci/spec_opts.go, defaultUnixEnv).
constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr auto kImageEnv = "image config.config.Env";
constexpr std::size_t kMaxNameInError = 64;

bool is_clean(std::string_view text) { return text.find('\0') == std::string_view::npos && base::is_utf8(text); }

/// An image's entry without "=" may be nothing but a value, so only the part that is a legal name is shown.
std::string shown_name(std::string_view entry) {
  const std::size_t equals = entry.find('=');
  if (equals == std::string_view::npos) return "(entry without '=')";
  std::string name(entry.substr(0, std::min(equals, kMaxNameInError)));
  std::ranges::replace_if(
      name, [](char c) { return c < ' ' || c > '~'; }, '?');
  return name;
}

class Environment {
 public:
  void set(std::string_view name, std::string_view value, const std::string& source) {
    if (!measure::is_env_name(name)) {
      throw InvalidInput(source, "malformed env name " + shown_name(std::string(name) + "=") +
                                     ", expecting env name to match ^[a-zA-Z_][a-zA-Z0-9_]*$");
    }
    if (!is_clean(value)) {
      throw InvalidInput(source, "malformed env value, contains non-utf8 character or NUL: " + std::string(name));
    }
    std::string entry = std::string(name) + "=" + std::string(value);
    const auto [place, is_new] = places_.try_emplace(std::string(name), entries_.size());
    if (is_new) {
      entries_.push_back(std::move(entry));
    } else {
      entries_[place->second] = std::move(entry);
    }
  }

  std::vector<std::string> take() { return std::move(entries_); }

 private:
  std::vector<std::string> entries_;
  std::unordered_map<std::string, std::size_t> places_;  ///< of each name in `entries_`
};

/// `field` is that of the list.
void check_args(const std::vector<std::string>& args, const std::string& field) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string place = field + "[" + std::to_string(i) + "]";
    if (!is_clean(args[i])) throw InvalidInput(place, "holds a NUL or invalid UTF-8");
    base::check_string_bytes(args[i].size(), place);
  }
}

}  // namespace

std::vector<std::string> final_args(const oci::ImageConfig& image,
                                    const std::optional<std::vector<std::string>>& cmd_override) {
  const std::vector<std::string>& cmd = cmd_override ? *cmd_override : image.cmd;
  std::vector<std::string> args = image.entrypoint;
  args.insert(args.end(), cmd.begin(), cmd.end());
  if (cmd_override && args.size() <= cmd.size()) {
    throw base::Error("length of Args [" + std::to_string(args.size()) +
                      "] is shorter or equal to the length of the given Cmd [" + std::to_string(cmd.size()) +
                      "], maybe the Entrypoint is set to empty in the image?");
  }
  if (args.empty()) throw InvalidInput("container arguments", "the image has neither an Entrypoint nor a Cmd");
  if (args.front().empty()) {
    throw InvalidInput(image.entrypoint.empty() ? "image config.config.Cmd[0]" : "image config.config.Entrypoint[0]",
                       "is empty, and names no program");
  }
  check_args(image.entrypoint, "image config.config.Entrypoint");
  check_args(cmd, cmd_override ? "tee-cmd" : "image config.config.Cmd");
  return args;
}

std::vector<std::string> final_env(const oci::ImageConfig& image, const EnvOverrides& overrides,
                                   std::string_view hostname) {
  Environment environment;
  if (image.env.empty()) environment.set("PATH", kDefaultPath, kImageEnv);
  for (const std::string& entry : image.env) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos) throw InvalidInput(kImageEnv, "malformed env " + shown_name(entry));
    base::check_string_bytes(entry.size(), std::string(kImageEnv) + ": " + shown_name(entry));
    environment.set(std::string_view(entry).substr(0, equals), std::string_view(entry).substr(equals + 1), kImageEnv);
  }
  for (const auto& [name, value] : overrides) {
    const std::string field = "tee-env-" + shown_name(name + "=");
    base::check_string_bytes(name.size() + 1 + value.size(), field);
    environment.set(name, value, field);
  }
  environment.set(kHostname, hostname, "hostname");
  return environment.take();
}

std::string final_working_dir(const oci::ImageConfig& image) {
  if (image.working_dir.empty()) return "/";
  if (!image.working_dir.starts_with('/') || image.working_dir.find('\0') != std::string::npos) {
    throw InvalidInput("image config.config.WorkingDir", "is not an absolute path");
  }
  base::check_path(image.working_dir, "image config.config.WorkingDir");
  return image.working_dir;
}

ProcessSpec process_of(const oci::ImageConfig& image, const LaunchSpec& spec, std::string_view hostname) {
  return {.args = final_args(image, spec.cmd),
          .env = final_env(image, spec.env, hostname),
          .user = {},
          .cwd = final_working_dir(image)};
}

}  // namespace launcher
