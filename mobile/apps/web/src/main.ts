import "./style/base.css";
import "./style/controls.css";
import "./style/shell.css";
import "./style/stage.css";
import "./style/tables.css";
import "./style/phone.css";

import { App } from "./app";
import { keepOffline } from "./io/offline";
import { listenForPhotos, Photos } from "./ui/photos";
import { CameraPage } from "./ui/camera_page";
import { CheckPage } from "./ui/check_page";
import { ComparePage } from "./ui/compare_page";
import { PhotoPage } from "./ui/photo_page";
import { Shell } from "./ui/shell";
import { SpeedPage } from "./ui/speed_page";

const photos = new Photos();
const shell = new Shell(
  new App(),
  photos,
  (tell) => [
    new PhotoPage(photos, tell),
    new CameraPage(tell),
    new ComparePage(photos, tell),
    new CheckPage(tell),
    new SpeedPage(tell),
  ],
  (ready) => {
    if (import.meta.env.PROD) void keepOffline(ready.opened.fetched);
  },
);
document.body.append(shell.element);
listenForPhotos(photos, () => shell.needPhotos());
void shell.start();
