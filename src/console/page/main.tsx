import { render } from "preact";
import { App } from "./app";
import { applyTheme, loadFonts } from "./theme";

applyTheme();
void loadFonts();
const root = document.getElementById("console");
if (root) render(<App />, root);
