package xcat

import "imgexportfs/tablesdump"

// findInstall finds what an image needs that is installed from media: the
// template. A site that imports it must have the media.
func (x *exporter) findInstall() {
	x.elements = append(x.elements, tablesdump.Value("media", "required"))
	if isSet(x.linuximage["template"]) {
		return
	}
	template := x.searchProfile("install", "tmpl")
	if template == "" {
		x.refuse("Couldn't find install template for " + x.req.Image)
		return
	}
	x.data(template)
	x.setSearched("template", template)
}
