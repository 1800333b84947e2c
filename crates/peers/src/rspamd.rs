//! Debian's `rspamd`, with rules of the test and no network.

use std::process::Command;

use crate::Result;
use crate::place::{Place, free_port, tool};
use crate::process::Process;

/// A private `rspamd`. Words in the subject decide: `grey`, `dubious`, `bulky`, `later`, `awful` lead to
/// greylisting, a header field, another subject, a soft rejection and a rejection; `secure` to one that says
/// what it was told of the user and of TLS.
pub struct Rspamd {
    /// The port of its worker.
    pub port: u16,
    _process: Process,
    _place: Place,
}

const RULES: &str = "
local words = { grey = 4.5, dubious = 6.5, bulky = 8.5, awful = 20.0 }
for word, score in pairs(words) do
  rspamd_config:register_symbol{
    name = 'TEST_' .. word:upper(), score = score,
    callback = function(task)
      return (task:get_subject() or ''):find(word) ~= nil
    end }
end
rspamd_config:register_symbol{
  name = 'TEST_LATER', type = 'prefilter',
  callback = function(task)
    if (task:get_subject() or ''):find('later') then
      task:set_pre_result('soft reject', 'come back to ' .. task:get_from('smtp')[1]['addr']
        .. ' from ' .. tostring(task:get_from_ip()))
    end
    if (task:get_subject() or ''):find('secure') then
      task:set_pre_result('soft reject', (task:get_user() or 'nobody')
        .. ' by ' .. tostring(task:get_request_header('TLS-Version'))
        .. ' with ' .. tostring(task:get_request_header('TLS-Cipher')))
    end
  end }
";

impl Rspamd {
    /// Starts it.
    pub fn start() -> Result<Rspamd> {
        let place = Place::new("rspamd")?;
        let port = free_port()?;
        let path = place.path().display().to_string();
        place.file("tld", "com\norg\nexample\n")?;
        place.file("rules.lua", RULES)?;
        let config = format!(
            "options {{ pidfile = \"{path}/pid\"; filters = \"\"; url_tld = \"{path}/tld\";\n\
             tempdir = \"{path}\"; control_socket = \"{path}/control mode=0600\";\n\
             dns {{ nameserver = \"127.0.0.1:9\"; timeout = 0.1s; retransmits = 1; }} }}\n\
             logging {{ type = \"console\"; level = \"info\"; }}\n\
             worker \"normal\" {{ bind_socket = \"127.0.0.1:{port}\"; count = 1; }}\n\
             actions {{ reject = 15; rewrite_subject = 8; add_header = 6; greylist = 4; }}\n\
             lua = \"{path}/rules.lua\"\n"
        );
        let config = place.file("rspamd.conf", &config)?;
        let mut command = Command::new(tool("rspamd")?);
        command.arg("-f").arg("-i").arg("-c").arg(&config);
        command.arg(format!("--var=DBDIR={path}"));
        command.arg(format!("--var=RUNDIR={path}"));
        let mut process = Process::start("rspamd", &mut command, &place.path().join("log"))?;
        process.listening(port)?;
        Ok(Rspamd {
            port,
            _process: process,
            _place: place,
        })
    }
}
