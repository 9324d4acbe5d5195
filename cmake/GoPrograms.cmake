# Programs in Go, for the scenes and what stands beside csctl. Their modules come from the network, so only the target
# `scene_programs` and the tests that need it build them.

set(CS_GO_OLDEST 1.24)
find_program(CS_GO go)
set(CS_GO_VERSION 0)
if(CS_GO)
  execute_process(COMMAND ${CS_GO} env GOVERSION OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  string(REGEX MATCH "[0-9]+\\.[0-9]+" CS_GO_VERSION "${version}")
endif()

# Builds a package of the Go module in this folder into the folder of programs; the module's tests become a test of CTest.
# Does nothing where Go is missing or too old.
function(add_go_program name package)
  if(CS_GO_VERSION VERSION_LESS CS_GO_OLDEST)
    return()
  endif()
  set(module ${CMAKE_CURRENT_SOURCE_DIR})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${module}/*.go)
  set(program ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${name})
  add_custom_command(OUTPUT ${program}
                     COMMAND ${CMAKE_COMMAND} -E env CGO_ENABLED=0 ${CS_GO} build -trimpath -buildvcs=false
                             "-ldflags=-s -w" -o ${program} ${package}
                     WORKING_DIRECTORY ${module}
                     DEPENDS ${sources} ${module}/go.mod ${module}/go.sum
                     COMMENT "Building the Go program ${name}"
                     VERBATIM)
  add_custom_target(${name} DEPENDS ${program})
  set_property(GLOBAL APPEND PROPERTY CS_GO_PROGRAMS ${name})
  if(sources MATCHES "_test\\.go")
    set_property(GLOBAL APPEND PROPERTY CS_GO_MODULES ${module})
  endif()
endfunction()
