//! A small product in a git repository of its own, with three releases: a file is renamed, another deleted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository; its folder belongs to the caller.
pub struct Product {
    pub path: PathBuf,
}

const SETUP: &str = r#"from setuptools import setup
setup(name="Lantern", install_requires=["Flask>=2.2,<3", "PyYAML>6"])
"#;

const API: &str = r#"import flask
from lantern.access import Permissions
from lantern.util.paths import is_below_folder

api = flask.Blueprint("api", __name__)


@api.route("/lamps/<string:target>", methods=["GET"])
def list_lamps(target):
    return flask.jsonify(lamps=[])


@api.route("/lamps/<string:target>/<path:filename>", methods=["POST"])
@Permissions.LAMP_SWITCH.require(403)
def switch_lamp(target, filename):
    if not is_below_folder(filename, BASE_FOLDER):
        flask.abort(404)
    return flask.jsonify(done=True)


def register(app):
    app.register_blueprint(api, url_prefix="/api")
"#;

const ACCESS: &str = r#"class Permissions:
    LAMP_SWITCH = Permission("Switch lamps")
    LAMP_LIST = Permission("List lamps")


class SessionTokenStore:
    def revoke_token(self, token):
        self.tokens.discard(token)
"#;

const SETTINGS: &str = r#"DEFAULTS = {
    "server": {"reverseProxy": {"prefixHeader": None, "trustedProxies": []}},
    "lamps": {"maxBrightness": 255, "target": "local"},
}
"#;

const LEGACY: &str = "def old_login_check(user, password):\n    return user.password == password\n";

const DIMMER: &str = "class DimmerPlugin:\n    def get_additional_permissions(self):\n        return [{\"key\": \"DIM\"}]\n";

const PATHS: &str = r#"import os


def is_below_folder(path, folder):
    full = os.path.realpath(os.path.join(folder, path))
    return os.path.commonpath([full, folder]) == folder


def folder_of(path):
    return os.path.dirname(path)
"#;

impl Product {
    /// Makes it below `folder`.
    pub fn new(folder: &Path) -> Self {
        let product = Self { path: folder.join("product") };
        fs::create_dir_all(&product.path).expect("a folder");
        product.git(&["init", "-q", "-b", "main"]);
        product.write("setup.py", SETUP);
        for (path, text) in [
            ("__init__.py", ""),
            ("access.py", ACCESS),
            ("settings.py", SETTINGS),
            ("util/__init__.py", ""),
            ("util/paths.py", PATHS),
            ("web/__init__.py", ""),
            ("web/api.py", API),
            ("web/legacy.py", LEGACY),
            ("plugins/dimmer/__init__.py", DIMMER),
        ] {
            product.write(&format!("src/lantern/{path}"), text);
        }
        product.commit("First release", "2024-01-01T00:00:00Z");
        product.git(&["tag", "1.0.0"]);
        product.git(&["mv", "src/lantern/util/paths.py", "src/lantern/util/files.py"]);
        product.write("src/lantern/web/api.py", &API.replace("util.paths", "util.files"));
        product.git(&["rm", "-q", "src/lantern/web/legacy.py"]);
        product.commit("Tidy up", "2024-06-01T00:00:00Z");
        product.git(&["tag", "-a", "-m", "v1.1.0", "v1.1.0"]);
        let newer = ACCESS.replace("LAMP_LIST", "LAMP_TIMER");
        product.write("src/lantern/access.py", &newer);
        product.commit("Timers", "2024-12-01T00:00:00Z");
        product.git(&["tag", "release-1.2.0"]);
        product
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("written");
    }

    pub fn commit(&self, message: &str, date: &str) {
        self.git(&["add", "-A"]);
        self.dated(&["commit", "-q", "-m", message], date);
    }

    pub fn git(&self, args: &[&str]) -> String {
        self.dated(args, "2024-06-01T00:00:00Z")
    }

    fn dated(&self, args: &[&str], date: &str) -> String {
        let mut command = Command::new("git");
        command.args(args).current_dir(&self.path);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", &self.path);
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "Dev")
                .env(format!("GIT_{who}_EMAIL"), "dev@e.example")
                .env(format!("GIT_{who}_DATE"), date);
        }
        let done = command.output().expect("git starts");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "git {args:?}: {said}");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }
}
