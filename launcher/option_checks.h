#pragma once

#include <string>

namespace launcher {

// Each says in a few words what is wrong with an option's value; empty: nothing. Nothing is changed by them, and what
// may come later than the launcher is not looked for.

/// A file that is there, may be read and is a regular one.
std::string check_readable_file(const std::string& path);
/// The same, and it holds certificates in PEM.
std::string check_certificates(const std::string& path);
/// The same, and it is a configuration of Docker's with credentials.
std::string check_docker_config(const std::string& path);
/// A path that begins at the root, short enough for a system call.
std::string check_absolute_path(const std::string& path);
/// The path of a Unix socket: absolute, 107 bytes at most (unix(7)).
std::string check_socket(const std::string& path);
/// A folder with the TEE server's socket in it: absolute, UTF-8, short enough for the socket's path.
std::string check_runtime_directory(const std::string& path);
/// A name that containerd takes (identifiers.Validate): letters and digits, single "-._" between them, 76 bytes at
/// most.
std::string check_containerd_name(const std::string& name);
/// [NAME=]https://host[:port][,CA-FILE], or http:// on loopback; the file holds certificates.
std::string check_verifier(const std::string& url);
/// "all", or names of capabilities with commas between.
std::string check_capabilities(const std::string& text);
/// tpm2-tss has a transport of that name.
std::string check_tcti(const std::string& tcti);

}  // namespace launcher
