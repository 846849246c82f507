# penstock_embed_lua(TARGET): composes the scripts in lua/ and embeds text and SHA-1 of each into a generated source
# in the build folder. Nothing is generated into the source tree.
function(penstock_embed_lua target)
endfunction()
