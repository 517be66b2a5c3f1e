# Profile-guided optimisation of the release program: what a request runs through lies together in
# memory. Measured for a proxied request, in 25 interleaved rounds: 10 % less user time.
#
# cmake/hot_path.proftext says how often the branches of the hot path are taken. `./dev bench
# train` renews it; a function that has changed since is compiled as if it were not listed, so a
# stale profile costs speed and nothing else.
option(SPILLWAY_MAKE_PROFILE "Build a program that counts branches, for ./dev bench train" OFF)

if(SPILLWAY_MAKE_PROFILE)
  add_compile_options(-fprofile-generate -fprofile-update=atomic)
  add_link_options(-fprofile-generate)
else()
  # By its name, not beside the compiler: that may be a link of ccache's.
  find_program(LLVM_PROFDATA llvm-profdata-19 REQUIRED)
  set(profile ${CMAKE_SOURCE_DIR}/cmake/hot_path.proftext)
  # Named by its content, so that a new profile is a new command line, and everything is compiled.
  file(MD5 ${profile} content)
  set(indexed ${CMAKE_BINARY_DIR}/hot_path-${content}.profdata)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${profile})
  if(NOT EXISTS ${indexed})
    execute_process(COMMAND ${LLVM_PROFDATA} merge ${profile} -o ${indexed}.part
                    COMMAND_ERROR_IS_FATAL ANY)
    file(RENAME ${indexed}.part ${indexed})
  endif()
  add_compile_options(-fprofile-use=${indexed} -Wno-profile-instr-out-of-date
                      -Wno-profile-instr-unprofiled -Wno-backend-plugin)
endif()
# Names of static functions begin with their file's name, not with its path on this machine.
add_compile_options(SHELL:-mllvm SHELL:-static-func-full-module-prefix=false)
