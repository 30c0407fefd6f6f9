"""Words of the trade of computers that name nobody: words of code and commands, technologies, their makers.

Written down by hand, as technical posts and manuals have them; none of them is a given or a family name.
"""

from typing import Final


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


WORDS: Final = _set(
    "abstractmethod adb admin alias android apache api apk app apt arch arg args argv array ascii asic async asyncio auth"
    " autoexec avr avrdude await awk backend backtrace bar bash bashrc baud baz binary bit bitmap bitrate blender blob bool"
    " boolean boot bootloader branch breakpoint browser bsd buffer bug bugzilla build byte bytecode bytes cache callback"
    " calloc cargo cat cdef cdn centos cgi char checksum chmod chown chrome chromium clang class cli client clipboard cls"
    " cluster cmd codebase codeblocks codec commit compiler conf config const container cookie coredump coreutils cpan cpld"
    " cpp cron crontab crontabs css csv ctrl curl cve cython daemon daemonize data database dbus ddr deb debian debug"
    " debugger decorator def default defaultdict defaultdicts defrag deploy desktop dev dhcp dialog diff dir directx div"
    " django dll dlna dmesg dns docker dockerfile docs docstring dotfiles driver dst dtb dtype dump dvd ebook echo eclipse"
    " edge elf elif elisp else emacs email emulator endian endpoint enum enums env eof errno error esc eth ethernet ethtool"
    " excel exception exe exec ext2 ext3 ext4 false fat32 fd fdisk fds fedora fetchmail file filesystem firebug firefox"
    " firewall firmware flac flag flash flask float flutter fn font foo fork fortran fp fprintf fps framebuffer framework"
    " freebsd frontend fstab ftp func function fuse gateway gcc gdb geany getattr getter ghostscript gimp git git-svn github"
    " gitlab glibc glob gnome gnu golang gparted gpl gradle grep grp grub grub2 gstreamer gtk gui gzip hasattr haskell"
    " header heap hex hibernate host hostmask hostname hotfix hotplug hotspot href htaccess html htop http http2 httpd https"
    " hypervisor icon id ide idle idx ieee iframe imagemagick imap img implement import init inkscape inode input insert"
    " install installer int integer intellij interface interpreter io ios ip iptables ipv4 ipv6 irq iscsi isinstance iso"
    " iter itunes jar javac javadoc javascript jboss jdk joomla jpeg jpg jquery json json5 jsp jtag junit kde kde4 kernel"
    " keyboard keymap keyring kotlin kubectl kubelet kwargs lambda latex led len lgpl lib libc libdrm libreoffice lilo"
    " linefeed linker lint linter linters list loader local localhost log login long loop mac macbook macos mail main make"
    " makefile malloc map markdown matlab maven md5 mem memory menu merge metaclass metadata middleware midi mingw mkdir mod"
    " mode modem modprobe module mongo mongodb monitor mosfet motherboard mount mouse mp3 mp4 mpeg mtu mutex namespace"
    " namespaces nano netbeans netbsd netcat netstat nfs nil nmap node nodejs none notepad ntfs ntp null nvidia nvram obj"
    " object opamp openbox openbsd openjdk openoffice oracle os overclock package param params parse parser pastebin patch"
    " path payload pcb pdf perl php pidgin ping pip pipenv pixel pkg plugin png pod pointer pom popup port postinst pr"
    " pragma pre preprocessor printer printf println process processor profile property proxies proxy pthread public push"
    " putty py pycharm pygame python qml qt query queue radeon raid rails ram rb react readme ref regex regexes regexp"
    " registry release renderer repl repo repos reset ret return rfc rgb rgba root rootfs rootkit router rss rtf runtime"
    " safari scanf scanner schema scipy scp screenshot script scrollbar sdk sed segfault segment select self sendmail server"
    " service servlet setattr setter sha1 sha256 shader sheet shell signal sizeof smb smd smtp snapshot snmp socket solaris"
    " source sprintf sql ssh ssid static staticmethod stderr stdin stdio stdlib stdout storage str strcmp string strlen"
    " struct stub subclass sublime submodule subnet subprocess subversion sudo sum super superuser suse svchost svg svn swap"
    " switch symlink synaptic syntax sys sysctl syslog system tab table tablespace tar tcl tcp tcpdump telnet temp template"
    " terminal test tex thread thumbnail thunderbird timeout tkinter tmp token toml tool toolbar tooltip torx touchpad"
    " transcoder trojan true truecrypt tty tuple tuples txt type typedef udp ui uid ulimit ulong undefined unicode unittest"
    " unix unmount unpickle unzip update upload uri url urllib user usleep utf utf-8 utf8 util utils uuid uvx ux valgrind"
    " value var vbox vbscript vector veracrypt version vhost vim visualstudio vlan vlc vmlinuz vnc void vpn vps wamp"
    " watchdog wb webapp webcam webkit webmail wget wheel whitespace widget windows winxp wlan0 wmv workspace workstation"
    " wsdl x11 x64 xampp xargs xbmc xcode xfce xhci xml xmp xorg xsl xslt xterm yacc yaml yml youtube yum zip zlib zombie"
)
"""Of the trade, in lower case; as a name, in lower case or capitals, they name nobody."""

TECHNOLOGIES: Final = _set(
    "airflow akamai algolia amd64 angularjs ansible apparmor appimage archlinux arduino argocd arkit arm64 armbian atmega"
    " attiny avahi avx avx2 axios bazel bcrypt bios bitbucket bitlocker bitwarden blazor bluez btrfs busybox certbot cifs"
    " cilium clickhouse cloudflare cmake cockroachdb codepen confluence coreboot cors couchdb cpanel cpu cpus cudnn ddr4"
    " ddr5 dimm dma dotnet dpkg drupal dsl duckdb dxvk ecc ecmascript eeprom elasticsearch eslint esp32 esp8266 esxi etcd"
    " fail2ban fastapi ffmpeg firebase firestore flatpak flatpickr fluentd fpga freenas freertos gentoo ggml gguf gitea"
    " gnupg gpio gpu gpus grafana graphql grpc haproxy hba hdd hdfs hdmi heroku homeassistant homebrew homekit hyperv i2c"
    " icinga influxdb initramfs iommu ipfs ipmi ipsec jellyfin jinja2 junos jupyter jwt kafka keycloak kibana kodi kubeflow"
    " kubernetes kvm langchain laravel ldap letsencrypt libvirt linux llamacpp llm llms lmstudio logstash lorawan lubuntu"
    " luks lvm lxc lxd magento mastodon matplotlib mediawiki memcached microk8s minikube modbus mqtt msbuild mssql mysql"
    " neovim netdata netlify nextcloud nextjs nginx nixos npm nrf52 nuget numpy nvme oauth ollama onnx opencl opencv opengl"
    " openid opensearch openshift openssh openssl openstack opensuse openvino openvpn openwrt opnsense owncloud pandas"
    " parquet pci pcie pfsense pgadmin phpmyadmin pihole pipewire portainer postfix postgis postgres postgresql powershell"
    " prometheus proxmox pulseaudio pydantic pypi pytest pytorch qemu qwen rabbitmq raspbian rdma redis retropie rhel rocm"
    " roundcube rpm rs232 rs485 rstudio rsync ryzen samba saml sata scikit sdwan selinux sfp sftp sharepoint snapd socat"
    " sonarqube spi splunk sqlalchemy sqlite sriov ssd ssds ssl stm32 supabase swiftui symfony systemd tailscale tailwind"
    " tdp tensorboard tensorflow terraform tls tomcat toolchain tpm traefik truenas typescript typo3 uart ubuntu"
    " udev uefi unifi unraid usb vercel vfio vga virtio virtualbox virtualenv vllm vmware vram vscode vuejs vulkan wayland"
    " webassembly webgl webpack webrtc websocket websockets wifi wireguard wireshark wlan woocommerce wordpress wsl wsl2 x86"
    " xeon xubuntu zabbix zfs zigbee zookeeper zsh"
)
"""Software, protocols and parts that are called by these words and by nothing else; in whatever case they name nobody."""

MAKERS: Final = _set(
    "accelerator acer adapter adobe alpine amazon amd angular anthropic apache apple arm asrock asus aws azure babel"
    " bluetooth bootstrap bridge broadcom bundler caddy canonical ceph chelsio cisco composer conda controller corporation"
    " corsair crucial cypress debian deepseek dell device devices digitalocean docker eclipse electron epson espressif esri"
    " exchange express fedora fidonet foxconn fujitsu geforce gemini gigabyte github gitlab gnome gnu google graphics helm"
    " hetzner hibernate hitachi hp hpe huawei hub huggingface ibm inc incorporation intel istio jetbrains jira juniper"
    " kaspersky kingston lan lenovo lg linksys logitech lsi ltd mariadb marvell mcafee mediatek mellanox mesa microchip"
    " micron microsoft microsystems mikrotik minio mistral module mozilla msi nats netapp netgear nokia novell nuxt nvidia"
    " nxp obs openai oracle ovh panasonic phoronix playwright plex podman postman preact pro prosody puppeteer qnap quadro"
    " qualcomm radeon raid rancher raspberry react realtek reddit redhat redux renesas s3 samsung sap seagate sentry series"
    " siemens solr solutions sony sophos spark squid stackoverflow supermicro svm synology systems technologies technology"
    " tesla toshiba ubiquiti vagrant varnish vite vue vultr wacom wan xilinx yahoo yarn yocto youtube zotac zyxel"
)
"""Makers, and words of the names of their products: in a technical text they name no customer."""
