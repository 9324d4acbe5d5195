# C++ stubs of containerd's gRPC API, generated at build time from the .proto files of the distribution's package
# golang-github-containerd-containerd-dev. Gives the target cs_containerd_protos; headers are included under the name
# that the files have among themselves, such as "github.com/containerd/containerd/api/types/mount.pb.h".

set(CS_CONTAINERD_PROTO_ROOT "/usr/share/gocode/src" CACHE PATH "Folder that holds github.com/containerd/containerd")
find_program(PROTOC protoc REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

set(staging ${CMAKE_BINARY_DIR}/containerd_protos/proto)
set(generated ${CMAKE_BINARY_DIR}/containerd_protos/cpp)
set(api github.com/containerd/containerd/api)
if(NOT EXISTS ${CS_CONTAINERD_PROTO_ROOT}/${api}/services/content/v1/content.proto)
  message(FATAL_ERROR "containerd's .proto files are not below ${CS_CONTAINERD_PROTO_ROOT}: install "
                      "golang-github-containerd-containerd-dev or set CS_CONTAINERD_PROTO_ROOT")
endif()

# Copies one file into the staging folder and then every file of containerd that it imports. The gogoproto options of
# containerd 1.6 steer only the Go generator, and `import weak` stops protoc's C++ generator, so both are left out; the
# messages on the wire are the same.
function(cs_stage_containerd_proto path)
  get_property(staged GLOBAL PROPERTY CS_CONTAINERD_STAGED)
  if(path IN_LIST staged)
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY CS_CONTAINERD_STAGED ${path})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CS_CONTAINERD_PROTO_ROOT}/${path})
  file(READ ${CS_CONTAINERD_PROTO_ROOT}/${path} text)
  string(REGEX REPLACE "import weak \"gogoproto/gogo.proto\";" "" text "${text}")
  string(REGEX REPLACE "\\[\\(gogoproto[^]]*\\]" "" text "${text}")
  string(REGEX REPLACE "option \\(gogoproto[^;]*;" "" text "${text}")
  file(CONFIGURE OUTPUT ${staging}/${path} CONTENT "${text}" @ONLY)
  string(REGEX MATCHALL "import \"github.com/containerd/[^\"]*\"" imports "${text}")
  foreach(import IN LISTS imports)
    string(REGEX REPLACE "import \"(.*)\"" "\\1" import "${import}")
    cs_stage_containerd_proto(${import})
  endforeach()
endfunction()

set(services containers/v1/containers content/v1/content diff/v1/diff images/v1/images leases/v1/leases
             snapshots/v1/snapshots tasks/v1/tasks version/v1/version)
set_property(GLOBAL PROPERTY CS_CONTAINERD_STAGED "")
foreach(service IN LISTS services)
  cs_stage_containerd_proto(${api}/services/${service}.proto)
endforeach()

get_property(staged GLOBAL PROPERTY CS_CONTAINERD_STAGED)
set(sources)
foreach(path IN LISTS staged)
  string(REGEX REPLACE "\\.proto$" "" stem ${path})
  set(outputs ${generated}/${stem}.pb.cc ${generated}/${stem}.pb.h)
  set(plugin)
  if(path MATCHES "/services/")
    list(APPEND outputs ${generated}/${stem}.grpc.pb.cc ${generated}/${stem}.grpc.pb.h)
    set(plugin --grpc_out=${generated} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
  endif()
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${generated}
    COMMAND ${PROTOC} -I . --cpp_out=${generated} ${plugin} ${path}
    WORKING_DIRECTORY ${staging}
    DEPENDS ${staging}/${path}
    VERBATIM)
  set_source_files_properties(${generated}/${stem}.pb.cc PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)  # all have the same names
  list(APPEND sources ${outputs})
endforeach()

add_library(cs_containerd_protos STATIC ${sources})
target_include_directories(cs_containerd_protos SYSTEM PUBLIC ${generated})
target_link_libraries(cs_containerd_protos PUBLIC PkgConfig::grpc)
target_compile_options(cs_containerd_protos PRIVATE -w)
