#include "launcher/option_checks.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/exec_limits.h"
#include "base/file.h"
#include "base/openssl.h"
#include "base/text.h"
#include "launcher/spec/attestation_service.h"
#include "launcher/spec/capabilities.h"
#include "oci/distribution/docker_config.h"
#include "teeserver/server.h"
#include "tpm/tpm.h"

namespace launcher {
namespace {

constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kMaxContainerdName = 76;
constexpr std::size_t kMaxCertificatesBytes = std::size_t{4} << 20U;

std::string system_reason() { return base::SystemError("can't be read", errno).what(); }

std::string too_long_for_a_socket(std::size_t length) {
  if (length <= kMaxSocketPath) return {};
  return "the path of the socket would have " + std::to_string(length) + " bytes, more than the " +
         std::to_string(kMaxSocketPath) + " that there may be";
}

}  // namespace

std::string check_readable_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return system_reason();
  if (!S_ISREG(status.st_mode)) return "is not a regular file";
  // By opening it: access(2) leaves out what the service's capabilities allow.
  const base::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  return file.get() < 0 ? system_reason() : std::string();
}

std::string check_certificates(const std::string& path) {
  std::string reason = check_readable_file(path);
  if (!reason.empty()) return reason;
  try {
    base::parse_pem_certificates(base::read_text_file(path, kMaxCertificatesBytes), "PEM");
    return {};
  } catch (const base::Error& error) {
    return error.what();
  }
}

std::string check_docker_config(const std::string& path) {
  std::string reason = check_readable_file(path);
  if (!reason.empty()) return reason;
  try {
    oci::DockerConfig::parse(base::read_text_file(path, oci::kMaxDockerConfigBytes), "JSON");
    return {};
  } catch (const base::Error& error) {
    return error.what();
  }
}

std::string check_absolute_path(const std::string& path) {
  if (!path.starts_with('/')) return "is not an absolute path";
  try {
    base::check_path(path, "path");
    return {};
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

std::string check_socket(const std::string& path) {
  if (!path.starts_with('/')) return "is not an absolute path";
  return too_long_for_a_socket(path.size());
}

std::string check_runtime_directory(const std::string& path) {
  if (!path.starts_with('/')) return "is not an absolute path";
  if (!base::is_utf8(path)) return "is not UTF-8";
  return too_long_for_a_socket((std::filesystem::path(path) / teeserver::Server::kSocketName).native().size());
}

std::string check_containerd_name(const std::string& name) {
  constexpr auto kReason = "is no name of letters and digits with single \"-._\" between them";
  if (name.size() > kMaxContainerdName) return "longer than " + std::to_string(kMaxContainerdName) + " bytes";
  bool needs_more = true;  // at the beginning, and behind a separator
  for (const char c : name) {
    const bool is_separator = std::string_view("-._").find(c) != std::string_view::npos;
    if (!base::is_alphanumeric(c) && (!is_separator || needs_more)) return kReason;
    needs_more = is_separator;
  }
  return needs_more ? kReason : std::string();
}

std::string check_verifier(const std::string& text) {
  try {
    const AttestationService service = parse_attestation_service(text);
    return service.ca_file ? check_certificates(*service.ca_file) : std::string();
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

std::string check_capabilities(const std::string& text) {
  if (text == "all") return {};
  const std::vector<std::string> names = base::split(text, ',');
  if (names.empty()) return "names no capability";
  for (const std::string& name : names) {
    if (!capability_number(name)) return "there is no capability " + name;
  }
  return {};
}

std::string check_tcti(const std::string& tcti) {
  if (tcti.empty()) return "is empty";
  const std::string name = tcti.substr(0, tcti.find(':'));
  return tpm::Tpm::knows_tcti(name) ? std::string() : "tpm2-tss knows no TCTI \"" + name + "\"";
}

}  // namespace launcher
