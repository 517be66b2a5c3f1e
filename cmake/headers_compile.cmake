# The target headers_compile: each header of src/ as a translation unit of its own, with nothing
# included before it. Not part of `all`; `./dev check` builds it.
add_custom_target(headers_compile)

get_property(modules GLOBAL PROPERTY SPILLWAY_MODULES)
foreach(module IN LISTS modules)
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/src
       ${CMAKE_SOURCE_DIR}/src/${module}/*.h ${CMAKE_SOURCE_DIR}/src/${module}/*/*.h)
  set(units)
  foreach(header IN LISTS headers)
    set(unit ${CMAKE_BINARY_DIR}/headers/${header}.cc)
    file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${header}\"\n")
    list(APPEND units ${unit})
  endforeach()
  if(units)
    add_library(${module}_headers OBJECT EXCLUDE_FROM_ALL ${units})
    target_link_libraries(${module}_headers PRIVATE ${module})
    add_dependencies(headers_compile ${module}_headers)
  endif()
endforeach()
